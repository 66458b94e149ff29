package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// endWithInput ends the capture when standard input does, as that of kubectl
// exec -i and ssh does when the client is gone. What comes through it is
// nobody's, or names further targets.
func (s *session) endWithInput(ctx context.Context, cancel func()) {
	go func() {
		if s.summons != nil {
			s.summons.read(ctx, os.Stdin)
		}
		_, _ = io.Copy(io.Discard, os.Stdin) // an error is an end, too
		fmt.Fprintln(s.errs, "icap: standard input has ended, and so does the capture")
		cancel()
	}()
}
