package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// A counter counts what is read.
type counter struct {
	from io.Reader
	n    atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// showProgress shows on a terminal how much of the inputs has been read, once
// that takes long, until it is stopped. Lines that are printed to a terminal
// show it by themselves.
func showProgress(errs io.Writer, prints bool, inputs []*input) (stop func()) {
	f, ok := errs.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || prints && term.IsTerminal(int(os.Stdout.Fd())) {
		return func() {}
	}
	out := &console{out: f}
	done := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				out.show(readLine(inputs))
			case <-done:
				out.show("")
				return
			}
		}
	})
	return func() {
		close(done)
		showing.Wait()
	}
}

// readLine says how much of the inputs has been read. Of a pipe nobody knows
// the end.
func readLine(inputs []*input) string {
	var read, size int64
	for _, in := range inputs {
		read += in.read.n.Load()
		st, err := in.Stat()
		if err != nil || !st.Mode().IsRegular() {
			size = -1
		}
		if size >= 0 {
			size += st.Size()
		}
	}
	const mega = 1e6
	if size <= 0 {
		return fmt.Sprintf("icap: %.0f MB read", float64(read)/mega)
	}
	return fmt.Sprintf("icap: %.0f of %.0f MB read, %d %%", float64(read)/mega, float64(size)/mega, 100*read/size)
}
