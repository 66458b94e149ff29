//go:build !linux

package kernel

import (
	"net/netip"
	"os"
)

type watch struct{}

func watchConnections() (*Watch, error)      { return nil, errUnimplemented }
func (w *watch) next() ([]Connection, error) { return nil, errUnimplemented }
func (w *watch) poll() ([]Connection, error) { return nil, errUnimplemented }
func (w *watch) close() error                { return errUnimplemented }
func (w *watch) files() []*os.File           { return nil }
func watchFiles([]*os.File) (*Watch, error)  { return nil, errUnimplemented }
func (w *watch) owner(netip.AddrPort, netip.AddrPort) (uid uint32, inode uint64, ok bool) {
	return 0, 0, false
}
