package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A keyTail reads a TLS key log while it is written. It may come into being
// later, be cut, or be replaced by another of its name; it may be a named pipe.
// What it held at the start belongs to connections that no packet shows the
// beginning of, and is left out.
type keyTail struct {
	path string
	file *os.File
	at   int64 // offset in the file
	done chan struct{}
	wait sync.WaitGroup

	mu      sync.Mutex
	rest    []byte // of a line that has no end yet
	tooLong bool   // the line has been given up
	recent  []keyLine
	size    int // bytes of recent
	next    int // the first of recent that is in no file yet
	given   int // lines that are in a file
	skipped int // lines that are no secrets
	lost    int // lines that there was no memory for
	err     error
}

// A keyLine is a secret, and when it was seen.
type keyLine struct {
	seen time.Time
	text []byte // with the end of the line
}

const (
	// keyLogPoll is how often a key log is looked at.
	keyLogPoll = 50 * time.Millisecond
	// maxKeyLine is longer than any line of a key log, in bytes.
	maxKeyLine = 1 << 10
	// keyLogSlack is by how much the clock of the packets may be ahead.
	keyLogSlack = time.Second
)

// followKeyLog begins to read a key log, from its end if it is there already.
func followKeyLog(path string) (*keyTail, error) {
	k := &keyTail{path: path, done: make(chan struct{})}
	if err := k.open(); err != nil {
		return nil, err
	}
	if k.file != nil {
		k.at, _ = k.file.Seek(0, io.SeekEnd) // a pipe has no end
	}
	k.wait.Go(func() {
		for tick := time.NewTicker(keyLogPoll); ; {
			select {
			case <-tick.C:
				k.poll()
			case <-k.done:
				tick.Stop()
				return
			}
		}
	})
	return k, nil
}

// close ends the reading, after a last look.
func (k *keyTail) close() {
	close(k.done)
	k.wait.Wait()
	k.poll()
	if k.file != nil {
		_ = k.file.Close() // only read
	}
}

// open opens the file, if it is there. Nothing but a file or a pipe is opened:
// the name may be in the file system of a stranger.
func (k *keyTail) open() error {
	st, err := os.Stat(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !st.Mode().IsRegular() && st.Mode()&fs.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s is neither a file nor a named pipe", k.path)
	}
	if err != nil {
		return err
	}
	k.file, err = os.OpenFile(k.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	k.at = 0
	return err
}

// poll reads what has come. An error is kept: the file may be right the next
// time.
func (k *keyTail) poll() {
	var err error
	replaced := k.file != nil && k.replaced()
	if k.file != nil {
		err = k.read()
	}
	if replaced {
		_ = k.file.Close() // only read
		k.file = nil
	}
	if k.file == nil && err == nil {
		if err = k.open(); err == nil && k.file != nil {
			k.breakOff()
			err = k.read()
		}
	}
	k.mu.Lock()
	k.err = err
	k.mu.Unlock()
}

// replaced reports whether another file has the name by now. One that is only
// gone may still be written.
func (k *keyTail) replaced() bool {
	now, err := os.Stat(k.path)
	was, werr := k.file.Stat()
	return err == nil && werr == nil && !os.SameFile(now, was)
}

// read reads up to the end, or a part if that is far.
func (k *keyTail) read() error {
	const most, part = 4 << 20, 64 << 10
	if st, err := k.file.Stat(); err == nil && st.Mode().IsRegular() && st.Size() < k.at {
		k.breakOff()
		if k.at, err = k.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	// Only a pipe waits, and has a deadline.
	_ = k.file.SetReadDeadline(time.Now().Add(keyLogPoll / 2))
	buffer := make([]byte, part)
	for n := 0; n < most; {
		m, err := k.file.Read(buffer)
		n += m
		k.at += int64(m)
		k.feed(buffer[:m])
		if err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// breakOff gives up a line that does not go on.
func (k *keyTail) breakOff() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rest) > 0 {
		k.skipped++
	}
	k.rest, k.tooLong = k.rest[:0], false
}

// feed takes what was read apart into lines.
func (k *keyTail) feed(text []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for part := range bytes.Lines(text) {
		if k.tooLong = k.tooLong || len(k.rest)+len(part) > maxKeyLine; !k.tooLong {
			k.rest = append(k.rest, part...)
		}
		if part[len(part)-1] != '\n' {
			return
		}
		k.take(bytes.TrimRight(k.rest, "\r\n"), now)
		k.rest, k.tooLong = k.rest[:0], false
	}
}

// take keeps a line if it has a secret.
func (k *keyTail) take(line []byte, now time.Time) {
	switch {
	case k.tooLong:
		k.skipped++
		return
	case len(line) == 0 || line[0] == '#':
		return
	case !keyLogLine.Match(line):
		k.skipped++
		return
	}
	k.recent = append(k.recent, keyLine{now, append(bytes.Clone(line), '\n')})
	k.size += len(line) + 1
	if k.size > maxKeyLog {
		n := len(k.recent)/8 + 1
		k.lost += max(n-k.next, 0)
		k.forget(n)
	}
}

// forget lets go of the oldest lines.
func (k *keyTail) forget(n int) {
	for _, l := range k.recent[:n] {
		k.size -= len(l.text)
	}
	k.recent = slices.Delete(k.recent, 0, n)
	k.next = max(k.next-n, 0)
}

// fresh are the lines that are in no file yet. Those that are, and that packets
// from a time on cannot need, are forgotten.
func (k *keyTail) fresh(oldest time.Time) (lines []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range k.recent[k.next:] {
		lines = append(lines, l.text...)
		k.given++
	}
	k.next = len(k.recent)
	n := 0
	for n < len(k.recent) && k.recent[n].seen.Before(oldest.Add(-keyLogSlack)) {
		n++
	}
	if n > 0 {
		k.forget(n)
	}
	return lines
}

// since are the lines that packets from a time on may need: a secret is made
// after the first packet of its connection.
func (k *keyTail) since(from time.Time) (lines []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range k.recent[:k.next] {
		if !l.seen.Before(from.Add(-keyLogSlack)) {
			lines = append(lines, l.text...)
		}
	}
	return lines
}

// tell says what became of the lines.
func (k *keyTail) tell(out io.Writer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := printable(k.path)
	fmt.Fprintf(out, "icap: %s: %d TLS secrets are in the output", name, k.given)
	if k.skipped > 0 {
		fmt.Fprintf(out, ", %d lines that are none were skipped", k.skipped)
	}
	if k.lost > 0 {
		fmt.Fprintf(out, ", %d came too fast and are not", k.lost)
	}
	fmt.Fprintln(out)
	if k.err != nil {
		fmt.Fprintf(out, "icap: %s\n", printable(k.err.Error()))
	}
}
