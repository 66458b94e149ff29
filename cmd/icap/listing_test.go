package main

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

// A failing is standard output that takes so many writes.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// TestListing ends the command when nobody takes what it says, and tells why,
// unless the reader has just seen enough.
func TestListing(t *testing.T) {
	for _, err := range []error{syscall.EPIPE, syscall.ENOSPC} {
		cmd := new(cobra.Command)
		cmd.SetContext(context.Background())
		cmd.SetOut(&failing{left: 1, err: err})
		out := newListing(cmd)
		if _, werr := out.Write([]byte("line")); werr != nil || cmd.Context().Err() != nil || out.fault() != nil {
			t.Fatalf("%v, %v, %v", werr, cmd.Context().Err(), out.fault())
		}
		for range 2 {
			if _, werr := out.Write([]byte("line")); !errors.Is(werr, err) {
				t.Errorf("write: %v, want %v", werr, err)
			}
		}
		if cmd.Context().Err() == nil {
			t.Errorf("%v: the command goes on", err)
		}
		var want error
		if err != syscall.EPIPE {
			want = err
		}
		if got := out.fault(); !errors.Is(got, want) {
			t.Errorf("fault %v, want %v", got, want)
		}
	}
}
