//go:build !linux

package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
)

var errUnimplemented = fmt.Errorf("ask the kernel: %w on %s", errors.ErrUnsupported, runtime.GOOS)

func namespaceCookie() uint64        { return 0 }
func links() ([]Link, error)         { return nil, errUnimplemented }
func linkEvents() (*os.File, error)  { return nil, errUnimplemented }
func ruleEvents() (*os.File, error)  { return nil, errUnimplemented }
func listeners() ([]Listener, error) { return nil, errUnimplemented }
func owners(string, []int, []uint64) (map[uint64]Process, error) {
	return nil, errUnimplemented
}
func ephemeralPorts() (first, last uint16, err error) { return 0, 0, errUnimplemented }
func readRedirects() (Redirects, error)               { return Redirects{}, errUnimplemented }
func connections() ([]Connection, error)              { return nil, errUnimplemented }
func openSockets() (*Sockets, error)                  { return nil, errUnimplemented }

func streams(string, int) ([]Stream, error)         { return nil, errUnimplemented }
func pipeReaders(string, uint64) ([]Process, error) { return nil, errUnimplemented }
func command(string, int) string                    { return "" }
func named(string, []string) ([]Process, error)     { return nil, errUnimplemented }

type querier struct{}

func (*Sockets) close()                                             {}
func (*Sockets) find(netip.AddrPort, netip.AddrPort) (Socket, bool) { return Socket{}, false }
