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

// fileSink writes pcapng to files, a named pipe or standard output.
type fileSink struct {
	*capture.Files
	n int // interfaces
}

// giveUp is how long a reader that has stopped to read can keep icap from
// ending.
const giveUp = time.Second

// How files on a disk are written: with so many batches on their way, and so
// much room taken ahead, in bytes.
const (
	batches = 4
	reserve = 256 << 20
)

// newFileSink creates the file, or the first one, and writes its header. A
// file that cannot take even the header is removed again. Last is told when
// the last of a limited number of files ends; secrets, if not nil, are what the
// others begin with.
func newFileSink(ctx context.Context, s *session, path string, last func(time.Time), secrets func(time.Time) []byte) (*fileSink, error) {
	c := &capture.FilesConfig{
		Header:   s.header(),
		Sources:  s.owner,
		Rotation: s.flags.rotation.rotation(),
		Writer:   pcapwriter.Config{Behind: batches, Reserve: reserve},
		NoFlags:  s.flags.epbFlags == "off" || s.flags.epbFlags != "on" && s.plain(),
		MaxBytes: uint64(s.flags.rotation.maxBytes.bytes / len(s.flags.outputs())),
		Begin:    time.Now(),
		Secrets:  secrets,
		Last:     last,
	}
	switch {
	case s.series != nil:
		c.Open, c.Remove = s.series[path].open, s.series[path].remove
	case path == "-":
		c.Open = func(capture.Place) (*os.File, error) { return s.endingWith(ctx, pollable(s.out)), nil }
	default:
		c.Open = func(capture.Place) (*os.File, error) {
			f, err := create(ctx, s, path)
			return s.endingWith(ctx, f), err
		}
		c.Remove = removeRegular
	}
	files, err := capture.NewFiles(c)
	if err != nil {
		return nil, outputError{err}
	}
	return &fileSink{Files: files, n: len(s.interfaces)}, nil
}

// endingWith gives writing up some time after the context has ended.
func (s *session) endingWith(ctx context.Context, f *os.File) *os.File {
	patience := giveUp
	if s.flags.keys.path != "" {
		patience += min(s.flags.keys.delay, keyLogAtEnd)
	}
	if f != nil {
		context.AfterFunc(ctx, func() {
			_ = f.SetWriteDeadline(time.Now().Add(patience)) // only pipes have one, or need it
		})
	}
	return f
}

// removeRegular removes a file, unless it is a pipe.
func removeRegular(_ capture.Place, f *os.File) error {
	st, err := f.Stat()
	if err == nil && st.Mode().IsRegular() {
		err = os.Remove(f.Name())
	}
	return err
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
		f, err := s.flags.guard.own(pcapwriter.Create(path, s.flags.force))
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
	err = f.Files.Close(r)
	written, _ = f.Written()
	return written, err
}

// Grow adds interfaces and names.
func (f *fileSink) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	f.n += len(interfaces)
	return f.Files.Grow(interfaces, sources, names)
}

// Written counts what is in the files or on its way into them.
func (f *fileSink) Written() (packets []uint64, bytes uint64) {
	for i := range f.n {
		packets = append(packets, f.Files.Written(i))
	}
	return packets, f.Bytes()
}
