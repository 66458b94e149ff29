package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
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

// giveUp is how long a reader that has stopped to read can keep icap from
// ending.
const giveUp = time.Second

// newFileSink creates the file and writes its header. A file that cannot take
// even the header is removed again.
func newFileSink(ctx context.Context, s *session, path string) (*fileSink, error) {
	f := pollable(s.out)
	if path != "-" {
		var err error
		if f, err = create(ctx, s, path); err != nil {
			return nil, outputError{err}
		}
	}
	sink := &fileSink{file: f, n: len(s.interfaces)}
	var err error
	if sink.File, err = capture.NewFile(f, s.header(), s.owner); err != nil {
		return nil, outputError{errors.Join(err, sink.Discard())}
	}
	context.AfterFunc(ctx, func() {
		_ = f.SetWriteDeadline(time.Now().Add(giveUp)) // only pipes have one, or need it
	})
	return sink, nil
}

// pollable opens standard output once more if it is a pipe, so that writing to
// it can be given up. The flag for it would be shared with other processes.
func pollable(f *os.File) *os.File {
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeNamedPipe == 0 {
		return f
	}
	path := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	again, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return f
	}
	return os.NewFile(uintptr(again), "standard output")
}

// create makes the file. It waits for the reader of a named pipe.
func create(ctx context.Context, s *session, path string) (*os.File, error) {
	const again = 50 * time.Millisecond
	for told := false; ; told = true {
		f, err := pcapwriter.Create(path, s.flags.force)
		if !errors.Is(err, pcapwriter.ErrNoReader) {
			return f, err
		}
		if !told {
			fmt.Fprintf(s.errs, "icap: waiting for a reader of %s\n", printable(path))
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
	written, _ = f.Written()
	return written, errors.Join(err, f.file.Close())
}

// Grow adds interfaces and names.
func (f *fileSink) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	f.n += len(interfaces)
	return f.File.Grow(interfaces, sources, names)
}

// Written counts what is in the file or on its way into it.
func (f *fileSink) Written() (packets []uint64, bytes uint64) {
	for i := range f.n {
		packets = append(packets, f.File.Written(i))
	}
	return packets, f.Stats().Bytes
}

// Discard closes the file, and removes it if it is one. A pipe stays.
func (f *fileSink) Discard() error {
	st, err := f.file.Stat()
	if err == nil && st.Mode().IsRegular() && f.file != os.Stdout {
		err = os.Remove(f.file.Name())
	}
	return errors.Join(err, f.file.Close())
}
