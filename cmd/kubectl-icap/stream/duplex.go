package stream

import (
	"context"
	"errors"
	"io"

	"k8s.io/client-go/rest"

	"icap/cmd/kubectl-icap/internal/place"
)

// A Duplex is a process in a seat as what its standard input and output are: one
// can ask it, and it answers.
type Duplex struct {
	io.Reader
	io.Writer
	in     *io.PipeWriter
	cancel context.CancelFunc
	done   chan struct{}
}

// Open runs a command in a seat until it is closed. What it says on standard
// error is nobody's.
func Open(ctx context.Context, config *rest.Config, client rest.Interface, seat place.Seat, command []string) *Duplex {
	ctx, cancel := context.WithCancel(ctx)
	questions, in := io.Pipe()
	answers, out := io.Pipe()
	d := &Duplex{Reader: answers, Writer: in, in: in, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		err := Exec(ctx, config, client, seat, command, Streams{questions, out, io.Discard})
		if err == nil {
			err = io.EOF
		}
		_ = out.CloseWithError(err) // neither fails
		_ = questions.CloseWithError(errors.Join(io.ErrClosedPipe, err))
	}()
	return d
}

// Close ends the command.
func (d *Duplex) Close() error {
	err := d.in.Close()
	d.cancel()
	<-d.done
	return err
}
