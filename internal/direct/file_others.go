//go:build !linux

package direct

import (
	"errors"
	"runtime"
)

// errUnimplemented says that O_DIRECT is a matter of Linux.
var errUnimplemented = errors.New("direct writing is not implemented on " + runtime.GOOS)

// Probe returns an error that names the operating system.
func Probe(string) error { return errUnimplemented }

// InMemory is not known here.
func InMemory(string) bool { return false }

func (o *File) setDirect(bool) error { return errUnimplemented }

func alignedPages(int) ([]byte, func(), error) { return nil, nil, errUnimplemented }

func (o *File) write([]byte, int64) (int, error) { return 0, errUnimplemented }

func (o *File) check(int64) error { return errUnimplemented }
