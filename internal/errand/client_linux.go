package errand

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Client is the end of the part that has given up its privileges. Its methods
// may be called by any goroutine.
type Client struct {
	wire *wire
	gone chan struct{}

	mu      sync.Mutex
	next    uint32
	waiting map[uint32]chan<- result
}

// A result is what became of a request.
type result struct {
	answer Answer
	err    error
}

// Start executes this program again with arguments, the first of which is its
// name, and gives it files, which stay the caller's. It is not of the process
// group of this one, so that the terminal's signals do not end it.
func Start(args []string, files ...*os.File) (*Client, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	own, theirs := os.NewFile(uintptr(pair[0]), "helper"), os.NewFile(uintptr(pair[1]), "client")
	defer theirs.Close()
	w, err := newWire(own)
	if err != nil {
		return nil, err
	}
	cmd := exec.Cmd{
		Path: "/proc/self/exe", Args: args, Stderr: os.Stderr, ExtraFiles: append([]*os.File{theirs}, files...),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the helper: %w", err), w.conn.Close())
	}
	// It ends after this process has closed its end, and mostly after this
	// process has ended: then init waits for it.
	_ = cmd.Process.Release()
	return newClient(w), nil
}

func newClient(w *wire) *Client {
	c := &Client{wire: w, gone: make(chan struct{}), waiting: make(map[uint32]chan<- result)}
	go c.run()
	return c
}

// Gone is closed when the helper has ended, or the client is closed.
func (c *Client) Gone() <-chan struct{} { return c.gone }

// Close ends the helper, and what is asked of it.
func (c *Client) Close() error { return c.wire.conn.Close() }

// Ask has the helper do an errand. When the context ends, the answer is not
// waited for.
func (c *Client) Ask(ctx context.Context, request []byte) (Answer, error) {
	if len(request) > MaxRequest {
		return Answer{}, fmt.Errorf("a request of %d bytes is too long", len(request))
	}
	done := make(chan result, 1)
	c.mu.Lock()
	number := c.next
	c.next++
	c.waiting[number] = done
	c.mu.Unlock()
	if err := c.wire.send(&frame{number, kindRequest, request}, nil); err != nil {
		c.forget(number)
		return Answer{}, errors.Join(ErrGone, err)
	}
	select {
	case r := <-done:
		return r.answer, r.err
	case <-c.gone:
		return Answer{}, ErrGone
	case <-ctx.Done():
		if c.forget(number) {
			_ = c.wire.send(&frame{number: number, kind: kindCancel}, nil) // gone is good, too
		} else if r := <-done; r.err == nil {
			closeAll(r.answer.Files)
		}
		return Answer{}, ctx.Err()
	}
}

// forget stops waiting, and reports whether there was no answer yet.
func (c *Client) forget(number uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.waiting[number]
	delete(c.waiting, number)
	return ok
}

// run takes answers until the helper is gone.
func (c *Client) run() {
	defer close(c.gone)
	parts := make(map[uint32][]byte)
	buffer := make([]byte, longestFrame)
	for {
		f, files, err := c.wire.receive(buffer)
		if err != nil {
			return
		}
		if f.kind == kindPart {
			if parts[f.number] = append(parts[f.number], f.data...); len(parts[f.number]) > maxAnswer {
				return
			}
			continue
		}
		r := result{answer: Answer{Data: append(parts[f.number], f.data...), Files: files}}
		if f.kind == kindError {
			r = result{err: errors.New(string(f.data))}
		}
		delete(parts, f.number)
		c.mu.Lock()
		done, ok := c.waiting[f.number]
		delete(c.waiting, f.number)
		c.mu.Unlock()
		if !ok {
			closeAll(files) // nobody waits any more
			continue
		}
		done <- r
	}
}
