package afpacket

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// deletion is how long the deletion of an interface may follow upon its
	// going down.
	deletion = 50 * time.Millisecond
	// downTick is how often an interface that went down is looked at. The
	// kernel reports neither its return nor its deletion to the socket.
	downTick = 250 * time.Millisecond
)

// fault sorts out what woke the poller without a block. It returns nil when
// Wait shall go on.
func (r *Ring) fault() error {
	err := r.failed
	r.failed = nil
	if !errors.Is(err, unix.ENETDOWN) {
		return fmt.Errorf("ring on %q: %w", r.name, err)
	}
	// An interface that is deleted goes down first, with the same error, and
	// only then loses its socket's binding.
	for end := time.Now().Add(deletion); r.bound(); time.Sleep(deletion / 10) {
		if time.Now().After(end) {
			r.down = true
			return ErrDown
		}
	}
	r.gone = true
	return nil
}

// tick bounds the next wait of a ring whose interface went down once. Blocks
// that still retire do not tell whether it is up again: they may be from
// before.
func (r *Ring) tick() error {
	if !r.down {
		return nil
	}
	return r.conn.SetReadDeadline(time.Now().Add(downTick))
}

// bound reports whether the socket is still bound to the interface.
func (r *Ring) bound() bool {
	at, ok := r.binding()
	return ok && at.Ifindex == r.index
}

// binding is what the socket is bound to.
func (r *Ring) binding() (at *unix.SockaddrLinklayer, ok bool) {
	_ = r.control(func(fd int) error {
		sa, err := unix.Getsockname(fd)
		if err == nil {
			at, ok = sa.(*unix.SockaddrLinklayer)
		}
		return err
	})
	return at, ok
}
