package crtest

import (
	"testing"

	"icap/internal/lab/ociimage"
)

// imageName is what the image is called; nothing is ever pulled by it.
const imageName = "icap.test/standin:1"

// writeImage writes an image with one program under several names.
func writeImage(t *testing.T, path, program string, names ...string) {
	t.Helper()
	if err := ociimage.Write(path, program, names, []string{imageName}); err != nil {
		t.Fatal(err)
	}
}
