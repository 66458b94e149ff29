package main

import (
	"io"
	"sync"
)

// A console takes messages from all sides, and shows below them one line that
// changes: the progress.
type console struct {
	mu       sync.Mutex
	out      io.Writer
	progress []byte
}

// clearLine makes a terminal go to the start of the line and empty it.
const clearLine = "\r\x1b[K"

// Write prints a message, and then the progress again.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.progress) == 0 {
		return c.out.Write(p)
	}
	whole := append([]byte(clearLine), p...)
	if len(p) > 0 && p[len(p)-1] == '\n' {
		whole = append(whole, c.progress...)
	}
	if _, err := c.out.Write(whole); err != nil {
		return 0, err
	}
	return len(p), nil
}

// show replaces the progress; an empty one is taken away.
func (c *console) show(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if line == "" && len(c.progress) == 0 {
		return
	}
	c.progress = append(c.progress[:0], line...)
	// A terminal that does not take it is no reason to stop.
	_, _ = io.WriteString(c.out, clearLine+line)
}
