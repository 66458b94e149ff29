package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"icap/internal/capture"
	"icap/pcapwriter"
)

// fileSink writes pcapng to a file, a named pipe or standard output.
type fileSink struct {
	*capture.File
	file *os.File
	n    int // interfaces
}

// newFileSink creates the file and writes its header. A file that cannot take
// even the header is removed again.
func newFileSink(ctx context.Context, s *session) (*fileSink, error) {
	f := s.out
	if s.flags.write != "-" {
		var err error
		if f, err = create(ctx, s); err != nil {
			return nil, outputError{err}
		}
	}
	sink := &fileSink{file: f, n: len(s.interfaces)}
	var err error
	if sink.File, err = capture.NewFile(f, s.header(), s.owner); err != nil {
		return nil, outputError{errors.Join(err, sink.Discard())}
	}
	return sink, nil
}

// create makes the file. It waits for the reader of a named pipe.
func create(ctx context.Context, s *session) (*os.File, error) {
	const again = 50 * time.Millisecond
	for told := false; ; told = true {
		f, err := pcapwriter.Create(s.flags.write, s.flags.force)
		if !errors.Is(err, pcapwriter.ErrNoReader) {
			return f, err
		}
		if !told {
			fmt.Fprintf(s.errs, "icap: waiting for a reader of %s\n", printable(s.flags.write))
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(again):
		}
	}
}

// Close writes the statistics and closes the file.
func (f *fileSink) Close(r *capture.Result) (written []uint64, err error) {
	err = f.File.Close(r)
	for i := range f.n {
		written = append(written, f.Written(i))
	}
	return written, errors.Join(err, f.file.Close())
}

// Discard closes the file, and removes it if it is one. A pipe stays.
func (f *fileSink) Discard() error {
	st, err := f.file.Stat()
	if err == nil && st.Mode().IsRegular() && f.file != os.Stdout {
		err = os.Remove(f.file.Name())
	}
	return errors.Join(err, f.file.Close())
}
