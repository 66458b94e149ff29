//go:build !linux

package socktrace

import (
	"errors"
	"runtime"
)

type trace struct{}

var errUnimplemented = errors.New("trace sockets: needs Linux, not " + runtime.GOOS)

func open([]uint64) (*Trace, error) { return nil, errUnimplemented }

func (trace) next() (Record, error) { return Record{}, errUnimplemented }
func (trace) close() error          { return nil }
