package crtest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// imageName is what the image is called; nothing is ever pulled by it.
const imageName = "icap.test/standin:1"

// A blob is a file of an OCI image layout that is named after its content.
type blob struct {
	data []byte
	kind string
}

func (b blob) digest() string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b.data)) }

// descriptor is how other blobs refer to it.
func (b blob) descriptor() map[string]any {
	return map[string]any{"mediaType": b.kind, "digest": b.digest(), "size": len(b.data)}
}

func jsonBlob(t *testing.T, kind string, v any) blob {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return blob{data, kind}
}

// writeImage writes an image with one program under several names, as an OCI
// image layout in a tar file.
func writeImage(t *testing.T, path, program string, names ...string) {
	t.Helper()
	layer := blob{layerOf(t, program, names), "application/vnd.oci.image.layer.v1.tar"}
	config := jsonBlob(t, "application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/pause"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layer.digest()}},
	})
	manifest := jsonBlob(t, "application/vnd.oci.image.manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": config.descriptor(), "layers": []any{layer.descriptor()},
	})
	entry := manifest.descriptor()
	entry["annotations"] = map[string]string{"io.containerd.image.name": imageName}
	index := jsonBlob(t, "", map[string]any{"schemaVersion": 2, "manifests": []any{entry}})

	var b bytes.Buffer
	w := tar.NewWriter(&b)
	file(t, w, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
	file(t, w, "index.json", index.data, 0o644)
	for _, bl := range []blob{layer, config, manifest} {
		file(t, w, "blobs/sha256/"+bl.digest()[len("sha256:"):], bl.data, 0o644)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// layerOf is the file system of the image.
func layerOf(t *testing.T, program string, names []string) []byte {
	t.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"etc/", "usr/", "usr/local/", "usr/local/bin/", "proc/", "sys/", "dev/"} {
		if err := w.WriteHeader(&tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	file(t, w, names[0], data, 0o755)
	for _, name := range names[1:] {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: names[0], Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(t *testing.T, w *tar.Writer, name string, data []byte, mode int64) {
	t.Helper()
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
}
