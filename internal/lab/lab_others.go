//go:build !linux

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"

	"icap/nsswitch"
)

// errUnimplemented is what every operation returns off Linux.
var errUnimplemented = fmt.Errorf("lab is not implemented on %s", runtime.GOOS)

type (
	state   struct{}
	process struct{}
)

func newLab(context.Context, Config) (*Lab, error) { return nil, errUnimplemented }

func (l *Lab) close() error { return errUnimplemented }

func (p *process) call(context.Context, command) (Exchange, error) {
	return Exchange{}, errUnimplemented
}

func (p *process) reported(context.Context) ([]Socket, error) { return nil, errUnimplemented }

func (l *Lab) forge(context.Context, uint8) error { return errUnimplemented }

func (l *Lab) forgeBetween(context.Context) error { return errUnimplemented }

func (l *Lab) part(bool) error { return errUnimplemented }

func (l *Lab) balance(netip.AddrPort, netip.AddrPort) error { return errUnimplemented }

func cleanStale() error { return errUnimplemented }

func runRole() {}

func newNamespace(string) (*nsswitch.NS, error) { return nil, errUnimplemented }

func newOwned(string) (*nsswitch.NS, string, error) { return nil, "", errUnimplemented }

func removeNamespace(string) error { return errUnimplemented }

func veth(*nsswitch.NS, string, *nsswitch.NS, string) error { return errUnimplemented }

func addAddr(*nsswitch.NS, string, []netip.Prefix) error { return errUnimplemented }

func sendUDP(*nsswitch.NS, netip.AddrPort, int, int) (int, error) { return 0, errUnimplemented }

func newRoot() ([]byte, error) { return nil, errUnimplemented }

func (s Standin) serveApp([]int) error { return errUnimplemented }

func (s Standin) serveSidecar() error { return errUnimplemented }

func (s Standin) serveGateway() error { return errUnimplemented }

func writeRules() error { return errUnimplemented }
