package icap_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// licenceMarks are words by which the file of a licence is known.
var licenceMarks = map[string]string{
	"Apache-2.0": "Apache License", "MIT": "Permission is hereby granted, free of charge", "BSD-3-Clause": "Redistribution and use in source and binary forms",
}

// TestLicences holds the list in SECURITY.md against what is linked, and the
// licences against the files of the modules.
func TestLicences(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([\\w./-]+)` \\| ([\\w. -]+?)[,|]").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = strings.TrimSpace(m[2])
	}
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-tags", "cri", "-f", format, "./cmd/icap")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			linked[path] = dir
		}
	}
	for path, dir := range linked {
		licence, ok := listed[path]
		if !ok {
			t.Errorf("%s is linked, and not in the list of SECURITY.md", path)
			continue
		}
		if said := licenceOf(t, dir); !strings.Contains(said, licenceMarks[licence]) || licenceMarks[licence] == "" {
			t.Errorf("%s is not under %s: %.200q", path, licence, said)
		}
	}
	for path := range listed {
		if linked[path] == "" {
			t.Errorf("%s is in the list of SECURITY.md, and not linked", path)
		}
	}
}

// licenceOf is the text of a module's licence.
func licenceOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "L[Ii][Cc][Ee][Nn][Ss][Ee]*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no licence in %s: %v", dir, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
