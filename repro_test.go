package icap_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxSize bounds the static binary, so that nobody links the world by
// accident.
const maxSize = 9_500_000

const binary = "dist/icap-linux-amd64"

// TestReproducible makes the static binary in two directories. The two are the
// same to the byte, and need nothing of the machine they run on.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("links the binary twice")
	}
	files := sources(t)
	var sums [2][sha256.Size]byte
	for i := range sums {
		dir := t.TempDir()
		for _, file := range files {
			copyFile(t, dir, file)
		}
		cmd := exec.Command("make", "-C", dir, binary, "VERSION=test")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make: %v\n%s", err, out)
		}
		sums[i] = inspect(t, filepath.Join(dir, binary))
	}
	if sums[0] != sums[1] {
		t.Errorf("two directories give two binaries, %x and %x", sums[0], sums[1])
	}
}

// sources are the files of the module that the binary is made of.
func sources(t *testing.T) []string {
	t.Helper()
	const format = `{{with .Module}}{{if .Main}}` +
		`{{range $.GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}` +
		`{{range $.EmbedFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-tags", "nodemo", "-f", format, "./cmd/icap")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"Makefile", "go.mod", "go.sum"}
	for path := range strings.FieldsSeq(string(out)) {
		file, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func copyFile(t *testing.T, dir, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// inspect checks that a binary is static and small, and returns its checksum.
func inspect(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > maxSize {
		t.Errorf("the binary has %d bytes, more than %d", len(data), maxSize)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary has an interpreter: it is not static")
		}
	}
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		t.Errorf("the binary needs %v (%v)", libs, err)
	}
	return sha256.Sum256(data)
}
