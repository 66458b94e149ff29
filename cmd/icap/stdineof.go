package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// endWithInput ends the capture when standard input does, as that of kubectl
// exec -i and ssh does when the client is gone. What comes through it is
// nobody's, or names further targets. A client whose network is gone ends
// nothing: that it is silent is all that is to be noticed.
func (s *session) endWithInput(ctx context.Context, cancel func()) {
	var in io.Reader = os.Stdin
	if silence := s.flags.untilSilent; silence > 0 {
		in = hear(in, silence, func() {
			fmt.Fprintf(s.errs, "icap: standard input has been silent for %v, and so the capture ends\n", silence)
			cancel()
		})
	}
	go func() {
		if s.summons != nil {
			s.summons.read(ctx, in)
		}
		_, _ = io.Copy(io.Discard, in) // an error is an end, too
		fmt.Fprintln(s.errs, "icap: standard input has ended, and so does the capture")
		cancel()
	}()
}

// silentFlag is the name of the flag, also of icap clock.
const silentFlag = "until-stdin-silent"

// hear has a function called when nothing has been read for some time.
func hear(r io.Reader, silence time.Duration, silent func()) io.Reader {
	return &heard{r, silence, time.AfterFunc(silence, silent)}
}

// heard puts a timer off whenever something is read.
type heard struct {
	io.Reader
	silence time.Duration
	timer   *time.Timer
}

// Read reads and, if there is anything, puts the timer off.
func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if n > 0 {
		h.timer.Reset(h.silence)
	}
	return n, err
}
