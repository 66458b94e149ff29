//go:build !linux

package nsswitch

import (
	"fmt"
	"os"
	"runtime"
)

// errUnimplemented is what every operation returns off Linux.
var errUnimplemented = fmt.Errorf("network namespaces are not implemented on %s", runtime.GOOS)

type handle struct{}

func (handle) Close() error { return errUnimplemented }

func open(_, _ string) (*NS, error)          { return nil, errUnimplemented }
func openOwn() (*NS, error)                  { return nil, errUnimplemented }
func openFile(*os.File, string) (*NS, error) { return nil, errUnimplemented }
func (n *NS) duplicate() (*os.File, error)   { return nil, errUnimplemented }
func (n *NS) do(_ func() error) error        { return errUnimplemented }
func (Proc) Process(int) (Process, error)    { return Process{}, errUnimplemented }
func (Proc) Open(Process) (*NS, error)       { return nil, errUnimplemented }
func (Proc) OpenInode(uint64) (*NS, error)   { return nil, errUnimplemented }
