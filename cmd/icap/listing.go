package main

import (
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/spf13/cobra"
)

// A listing is the standard output of commands that list what they find. When
// it cannot be written any more, there is nothing left to find out: the
// command's context ends.
type listing struct {
	out  io.Writer
	stop func()
	err  error
}

func newListing(cmd *cobra.Command) *listing {
	ctx, stop := context.WithCancel(cmd.Context())
	cmd.SetContext(ctx)
	return &listing{out: cmd.OutOrStdout(), stop: stop}
}

func (l *listing) Write(p []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	n, l.err = l.out.Write(p)
	if l.err != nil {
		l.stop()
	}
	return n, l.err
}

// fault is what kept the listing from being written. A reader that has gone
// has seen enough.
func (l *listing) fault() error {
	if l.err == nil || errors.Is(l.err, syscall.EPIPE) {
		return nil
	}
	return outputError{l.err}
}
