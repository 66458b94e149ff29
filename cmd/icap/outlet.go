package main

import (
	"context"
	"time"

	"icap/internal/capture"
	"icap/pcapwriter"
)

// An outlet is where packets go, and what it has to say of them at the end.
type outlet interface {
	// Written says how many packets of each interface, and how many bytes,
	// the output has so far.
	Written() (packets []uint64, bytes uint64)
	// Close ends the output and says how many packets of each interface are
	// in it.
	Close(r *capture.Result) (written []uint64, err error)
	// Grow adds interfaces, of these sources, and names for what follows.
	Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error
	// Cut ends the file and begins the next one, where files are rotated.
	Cut()
	// Discard takes back an output into which nothing was captured.
	Discard() error
}

// A sink is an outlet that takes packets one by one.
type sink interface {
	capture.Sink
	outlet
}

// A recording is an outlet that has its own way to capture.
type recording interface {
	outlet
	// run captures, see capture.Run. The Sink of the configuration is not
	// set.
	run(ctx context.Context, c capture.Config) (*capture.Result, error)
}

// accounts passes on to a sink behind another one what capture.Accountant
// tells.
func accounts(s sink, live *capture.Result) {
	if a, ok := s.(capture.Accountant); ok {
		a.Accounts(live)
	}
}

// failed is that of a sink behind another one, see capture.Background.
func failed(s sink) <-chan struct{} {
	if b, ok := s.(capture.Background); ok {
		return b.Failed()
	}
	return nil
}

// due is that of a sink behind another one, see capture.Holder.
func due(s sink) time.Duration {
	if h, ok := s.(capture.Holder); ok {
		return h.Due()
	}
	return 0
}
