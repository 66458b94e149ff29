//go:build !linux

package pods

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
)

var errUnimplemented = fmt.Errorf("look for pods: %w on %s", errors.ErrUnsupported, runtime.GOOS)

func (s Scanner) scan() (scan, error)           { return scan{}, errUnimplemented }
func (s Scanner) resolve(Target) (Found, error) { return Found{}, errUnimplemented }
func (s Scanner) addrs(*Pod) []netip.Addr       { return nil }

func (s Scanner) arrivals() (*os.File, error) { return nil, errUnimplemented }

func (s Scanner) awaitEnd(context.Context, *Pod) error { return errUnimplemented }
