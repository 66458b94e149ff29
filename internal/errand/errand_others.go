//go:build !linux

package errand

import (
	"context"
	"fmt"
	"os"
	"runtime"
)

var errUnimplemented = fmt.Errorf("helpers are not implemented on %s", runtime.GOOS)

// A Client is the end of the part that has given up its privileges.
type Client struct{}

// Start returns an error that names the operating system.
func Start([]string, ...*os.File) (*Client, error) { return nil, errUnimplemented }

// Ask returns an error that names the operating system.
func (c *Client) Ask(context.Context, []byte) (Answer, error) {
	return Answer{}, errUnimplemented
}

// Gone is never closed.
func (c *Client) Gone() <-chan struct{} { return nil }

// Close returns nil.
func (c *Client) Close() error { return nil }

func serve(Handler) error { return errUnimplemented }
