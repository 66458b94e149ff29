//go:build !linux

package pods

import (
	"errors"
	"fmt"
	"runtime"
)

var errUnimplemented = fmt.Errorf("look for pods: %w on %s", errors.ErrUnsupported, runtime.GOOS)

func (s Scanner) scan() (scan, error)           { return scan{}, errUnimplemented }
func (s Scanner) resolve(Target) (Found, error) { return Found{}, errUnimplemented }
