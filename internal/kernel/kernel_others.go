//go:build !linux

package kernel

import (
	"errors"
	"fmt"
	"runtime"
)

var errUnimplemented = fmt.Errorf("ask the kernel: %w on %s", errors.ErrUnsupported, runtime.GOOS)

func links() ([]Link, error)         { return nil, errUnimplemented }
func listeners() ([]Listener, error) { return nil, errUnimplemented }
func owners(string, []int, []uint64) (map[uint64]Process, error) {
	return nil, errUnimplemented
}
func ephemeralPorts() (first, last uint16, err error) { return 0, 0, errUnimplemented }
func readRedirects() (Redirects, error)               { return Redirects{}, errUnimplemented }
