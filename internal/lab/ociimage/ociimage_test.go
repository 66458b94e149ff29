package ociimage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// files are what is in a tar file, and its links with what they lead to.
func files(t *testing.T, data []byte) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = string(b) + h.Linkname
	}
}

// TestWrite reads an image as a runtime does: from the index on, by digests.
// Containerd itself takes such images in the tests of its pods.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	program, archive := filepath.Join(dir, "program"), filepath.Join(dir, "image.tar")
	if err := os.WriteFile(program, []byte("ELF"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(archive, program, []string{"pause", "usr/bin/app"}, []string{"a:1", "b:1"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	layout := files(t, data)
	type entry struct {
		Digest      string
		Size        int
		Annotations map[string]string
	}
	var index struct{ Manifests []entry }
	var manifest struct {
		Config entry
		Layers []entry
	}
	read := func(text string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	blob := func(e entry) string {
		t.Helper()
		b := layout["blobs/sha256/"+e.Digest[len("sha256:"):]]
		if got := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(b))); got != e.Digest || len(b) != e.Size {
			t.Errorf("%s of %d bytes is %s of %d", e.Digest, e.Size, got, len(b))
		}
		return b
	}
	read(layout["index.json"], &index)
	if len(index.Manifests) != 2 || index.Manifests[0].Annotations["io.containerd.image.name"] != "a:1" || index.Manifests[1].Annotations["io.containerd.image.name"] != "b:1" {
		t.Fatalf("index: %+v", index)
	}
	read(blob(index.Manifests[0]), &manifest)
	blob(manifest.Config)
	if got := files(t, []byte(blob(manifest.Layers[0]))); len(got) != 2 || got["pause"] != "ELF" || got["usr/bin/app"] != "pause" {
		t.Errorf("layer: %q", got)
	}
}
