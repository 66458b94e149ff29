package ociimage

import (
	"archive/tar"
	"bytes"
)

// A tarball is a tar file in memory. Writing there cannot fail, but for names
// that no tar file can have, which are the caller's bug.
type tarball struct {
	b bytes.Buffer
	w *tar.Writer
}

func (a *tarball) header(h *tar.Header) {
	if a.w == nil {
		a.w = tar.NewWriter(&a.b)
	}
	if err := a.w.WriteHeader(h); err != nil {
		panic(err)
	}
}

func (a *tarball) add(name string, data []byte, mode int64) {
	a.header(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))})
	_, _ = a.w.Write(data)
}

// link adds a further name of what is in it.
func (a *tarball) link(name, of string) {
	a.header(&tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: of, Mode: 0o755})
}

func (a *tarball) close() []byte {
	_ = a.w.Close()
	return a.b.Bytes()
}
