package main

import (
	"errors"

	"icap/internal/capture"
	"icap/pcapwriter"
)

// bothSinks write a file and print what is in it.
type bothSinks struct {
	*fileSink
	text *textSink
}

func (b *bothSinks) Packet(p *capture.Packet) error {
	if err := b.fileSink.Packet(p); err != nil {
		return err
	}
	return b.text.Packet(p)
}

// Grow adds interfaces to both.
func (b *bothSinks) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	return errors.Join(b.fileSink.Grow(interfaces, sources, names), b.text.Grow(interfaces, sources, names))
}

func (b *bothSinks) Flush() error { return errors.Join(b.fileSink.Flush(), b.text.Flush()) }

func (b *bothSinks) Close(r *capture.Result) (written []uint64, err error) {
	_, terr := b.text.Close(r)
	written, err = b.fileSink.Close(r)
	return written, errors.Join(err, terr)
}
