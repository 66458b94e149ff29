package main

import (
	"context"
	"errors"
	"os"

	"icap/internal/capture"
	"icap/internal/direct"
	"icap/pcapwriter"
)

// directSink writes pcapng from the memory of the rings, with O_DIRECT.
type directSink struct {
	*direct.File
	file    *os.File
	noFlags bool
}

// newDirectSink creates the file and writes its header. A file that cannot take
// even the header is removed again.
func newDirectSink(ctx context.Context, s *session, path string) (*directSink, error) {
	f, err := create(ctx, s, path)
	if err != nil {
		return nil, outputError{err}
	}
	h := s.header()
	if s.flags.rings.fanout > 1 && !s.flags.rings.split || len(s.sources) > 1 {
		h.Section.Comment += "\norder: the packets of each ring are in time order, those of the file are not"
	}
	sink := &directSink{file: f, noFlags: s.flags.epbFlags == "off"}
	if sink.File, err = direct.Create(f, h); err != nil {
		return nil, outputError{errors.Join(err, sink.Discard())}
	}
	return sink, nil
}

// run has no hook: what it captures needs none.
func (d *directSink) run(ctx context.Context, c capture.Config) (*capture.Result, error) {
	return direct.Run(ctx, direct.Config{
		Rings:   c.Rings,
		Of:      c.Of,
		NoFlags: d.noFlags,
		File:    d.File,
		Count:   c.Count,
		Shared:  c.Shared,
		Started: c.Started,
		Fault:   c.Fault,
		Ask:     c.Ask,
		Answer:  c.Answer,
	})
}

// errGrow would be a fault of this program: what joins a capture that runs are
// pods, and those are copied.
var errGrow = errors.New("a file that is written directly keeps the interfaces of its beginning")

// Grow is not possible.
func (d *directSink) Grow([]pcapwriter.Interface, []int, []pcapwriter.Name) error { return errGrow }

// Cut has no file to begin: these are not rotated.
func (d *directSink) Cut() {}

// Close writes the statistics and closes the file.
func (d *directSink) Close(r *capture.Result) (written []uint64, err error) {
	err = d.File.Close(r)
	written, _ = d.Written()
	return written, errors.Join(err, d.file.Close())
}

// Discard closes the file and removes it.
func (d *directSink) Discard() error {
	return errors.Join(os.Remove(d.file.Name()), d.file.Close())
}
