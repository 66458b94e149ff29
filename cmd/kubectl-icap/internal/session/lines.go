package session

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"icap/internal/plain"
)

// lines takes what icap says on a node, and says it with the node's name in
// front.
type lines struct {
	session *Session
	name    string

	mu   sync.Mutex
	rest []byte
	last []string // of the lines that icap has said, the latest
}

const (
	longestLine = 8 << 10
	lastLines   = 4
)

// Write takes a part of it.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			break
		}
		l.line(string(l.rest[:i]))
		l.rest = l.rest[i+1:]
	}
	if len(l.rest) > longestLine {
		l.line(string(l.rest))
		l.rest = nil
	}
	return len(b), nil
}

// line says a line, if it is one for everybody.
func (l *lines) line(text string) {
	text = strings.TrimRight(plain.Text(text), "\r")
	own, ok := strings.CutPrefix(text, "icap: ")
	if ok && !detail(own) {
		l.last = append(l.last, own)
		l.last = l.last[max(0, len(l.last)-lastLines):]
	}
	if l.session.Details || ok && !detail(own) {
		fmt.Fprintf(l.session.Errs, "icap: %s: %s\n", l.name, strings.TrimSpace(own))
	}
}

// detail reports whether a line is one of the many that a node says in order.
func detail(line string) bool {
	for _, prefix := range []string{" ", "sandbox: ", "writing is ", "note: the output's own stream", "standard input has ended"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// explain puts what icap has said last into the error of its stream.
func (l *lines) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || len(l.last) == 0 {
		return err
	}
	return &said{err, strings.Join(l.last, "; ")}
}

// A said error is one of a node, in its own words.
type said struct {
	err  error
	text string
}

func (s *said) Error() string { return s.err.Error() + ": " + s.text }
func (s *said) Unwrap() error { return s.err }
