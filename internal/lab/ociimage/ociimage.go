// Package ociimage writes images that have one static program under several
// paths. Only tests import it.
package ociimage

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// mediaType is what the media types of an OCI image begin with.
const mediaType = "application/vnd.oci.image."

// A blob is a file of an OCI image layout that is named after its content.
type blob struct {
	data []byte
	kind string
}

func (b blob) digest() string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b.data)) }

// object is one of JSON.
type object map[string]any

// descriptor is how other blobs refer to it.
func (b blob) descriptor() object {
	return object{"mediaType": b.kind, "digest": b.digest(), "size": len(b.data)}
}

// Write writes an image archive, an OCI image layout in a tar file, under
// several names. The image has the program at all paths, which are relative to
// its root, and no other file; a container runs the first of them.
func Write(archive, program string, paths, names []string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer := layerOf(data, paths)
	config := jsonBlob("config.v1+json", object{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": object{"Entrypoint": []string{"/" + paths[0]}},
		"rootfs": object{"type": "layers", "diff_ids": []string{layer.digest()}},
	})
	manifest := jsonBlob("manifest.v1+json", object{
		"schemaVersion": 2, "mediaType": mediaType + "manifest.v1+json",
		"config": config.descriptor(), "layers": []object{layer.descriptor()},
	})
	var entries []object
	for _, name := range names {
		entry := manifest.descriptor()
		entry["annotations"] = object{"io.containerd.image.name": name}
		entries = append(entries, entry)
	}
	index := jsonBlob("index.v1+json", object{"schemaVersion": 2, "manifests": entries})

	var a tarball
	a.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
	a.add("index.json", index.data, 0o644)
	for _, b := range []blob{layer, config, manifest} {
		a.add("blobs/sha256/"+b.digest()[len("sha256:"):], b.data, 0o644)
	}
	return os.WriteFile(archive, a.close(), 0o600)
}

// jsonBlob cannot fail: an object has only what JSON has.
func jsonBlob(kind string, v object) blob {
	data, _ := json.Marshal(v)
	return blob{data, mediaType + kind}
}

// layerOf is a layer with one program at several paths.
func layerOf(program []byte, paths []string) blob {
	var a tarball
	a.add(paths[0], program, 0o755)
	for _, path := range paths[1:] {
		a.link(path, paths[0])
	}
	return blob{a.close(), mediaType + "layer.v1.tar"}
}
