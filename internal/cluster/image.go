package cluster

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// ociType is what the media types of an OCI image begin with.
const ociType = "application/vnd.oci.image."

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

func jsonBlob(kind string, v any) (blob, error) {
	data, err := json.Marshal(v)
	return blob{data, kind}, err
}

// writeImage writes an image archive with one program at several paths, under
// several names. It has no other file.
func writeImage(archive, program string, paths, names []string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer, err := layerOf(data, paths)
	if err != nil {
		return err
	}
	config, err := jsonBlob(ociType+"config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/" + paths[0]}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layer.digest()}},
	})
	if err != nil {
		return err
	}
	manifest, err := jsonBlob(ociType+"manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": ociType + "manifest.v1+json",
		"config": config.descriptor(), "layers": []any{layer.descriptor()},
	})
	if err != nil {
		return err
	}
	var entries []any
	for _, name := range names {
		entry := manifest.descriptor()
		entry["annotations"] = map[string]string{"io.containerd.image.name": name}
		entries = append(entries, entry)
	}
	index, err := jsonBlob("", map[string]any{"schemaVersion": 2, "manifests": entries})
	if err != nil {
		return err
	}
	return writeLayout(archive, index, layer, config, manifest)
}

// writeLayout writes the tar file of an image layout.
func writeLayout(archive string, index blob, blobs ...blob) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := addFile(w, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
	if err == nil {
		err = addFile(w, "index.json", index.data, 0o644)
	}
	for _, bl := range blobs {
		if err == nil {
			err = addFile(w, "blobs/sha256/"+bl.digest()[len("sha256:"):], bl.data, 0o644)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	return os.WriteFile(archive, b.Bytes(), 0o600)
}

// layerOf is a layer with one program at several paths.
func layerOf(program []byte, paths []string) (blob, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := addFile(w, paths[0], program, 0o755)
	for _, path := range paths[1:] {
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: path, Typeflag: tar.TypeLink, Linkname: paths[0], Mode: 0o755})
		}
	}
	if err == nil {
		err = w.Close()
	}
	return blob{b.Bytes(), ociType + "layer.v1.tar"}, err
}

func addFile(w *tar.Writer, name string, data []byte, mode int64) error {
	err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))})
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}
