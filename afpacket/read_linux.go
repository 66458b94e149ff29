package afpacket

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Next waits for the next retired block and lends it out: Take with Wait.
func (r *Ring) Next() (Block, error) {
	for {
		if b, ok := r.Take(); ok {
			return b, nil
		}
		if err := r.Wait(); err != nil {
			return Block{}, err
		}
	}
}

// Take lends out the next retired block, if there is one, without waiting.
func (r *Ring) Take() (b Block, ok bool) {
	if !r.retired() {
		return Block{}, false
	}
	i := r.next.Load()
	r.held[i].Store(true)
	r.next.Store((i + 1) % uint32(len(r.blocks)))
	b = Block{data: r.blocks[i], held: &r.held[i], freed: r.freed}
	r.delivered.Add(uint64(b.Len()))
	return b, true
}

// Wait returns nil when a block may be there to Take. It may run in another
// goroutine than Take.
//
// ErrDown and ErrGone tell what became of the interface; ErrGone comes after
// everything that was received has been taken. After Stop, Wait goes on until
// everything has been taken and then returns io.EOF.
func (r *Ring) Wait() error {
	for {
		r.awaitRelease()
		if r.retired() {
			return nil
		}
		if r.gone {
			return r.drain(ErrGone)
		}
		if r.stopped.Load() {
			return r.drain(io.EOF)
		}
		if err := r.tick(); err != nil {
			return err
		}
		err := r.raw.Read(r.ready)
		switch {
		case r.failed != nil:
			if err := r.fault(); err != nil {
				return err
			}
		case errors.Is(err, os.ErrDeadlineExceeded) && r.interrupted.Swap(false):
			return r.conn.SetReadDeadline(time.Time{})
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Stop or tick set the deadline.
			r.gone = r.down && !r.bound()
		case err != nil:
			return fmt.Errorf("wait on ring on %q: %w", r.name, err)
		}
	}
}

// retired looks at the word by which the kernel hands the next block over. A
// block that is lent out still bears the mark of its last delivery.
func (r *Ring) retired() bool {
	i := r.next.Load()
	return !r.held[i].Load() && atomic.LoadUint32(statusOf(r.blocks[i]))&statusUser != 0
}

// awaitRelease waits while the reader holds every block.
func (r *Ring) awaitRelease() {
	for r.held[r.next.Load()].Load() {
		<-r.freed
	}
}

// poll is called by the runtime poller whenever the socket may have become
// readable. It ends the wait when a block is there or the socket has failed.
func (r *Ring) poll(fd uintptr) bool {
	if r.retired() {
		return true
	}
	errno, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		r.failed = os.NewSyscallError("getsockopt", err)
	case errno != 0:
		r.failed = unix.Errno(errno)
	}
	return r.failed != nil
}

// Idle reports whether the ring holds no packet that is yet to be taken,
// neither in a retired block nor in the one that the kernel is filling, whose
// header it keeps up to date. Only the goroutine that calls Take can rely on
// the answer.
func (r *Ring) Idle() bool {
	i := r.next.Load()
	open := r.blocks[i]
	return !r.held[i].Load() &&
		atomic.LoadUint32(statusOf(open))&statusUser == 0 &&
		atomic.LoadUint32(packetsOf(open)) == 0
}

// Filled is how many blocks wait to be taken or are lent out: when it comes to
// all of them, the kernel drops.
func (r *Ring) Filled() int {
	n := 0
	for i := range r.blocks {
		if atomic.LoadUint32(statusOf(r.blocks[i]))&statusUser != 0 {
			n++
		}
	}
	return n
}
