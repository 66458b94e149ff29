package afpacket

import (
	"errors"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Leave closes a ring that was not stopped, and returns its counts. From then on
// the kernel shares out among the rest of its group what would have come to it.
// What it holds is lost: received, and not delivered. All blocks have been
// released, and nobody waits for the ring any more.
//
// The kernel tells no count of a socket that is closed, and takes in packets
// until it is. These are counted by what they leave in the ring, as long as there
// is room in it.
func (r *Ring) Leave() (Stats, error) {
	kept, err := r.keepHeaders()
	if err != nil {
		kept = nil // the last count has to do
	}
	uerr := r.unmap() // which takes time, and so comes before the count
	s, serr := r.Stats()
	cerr := r.Close()
	if kept != nil {
		s.Received = max(s.Received, s.Delivered+s.Dropped+kept.packets(int(r.next.Load())))
	}
	return s, errors.Join(uerr, serr, cerr)
}

// headers are the first pages of a ring's blocks, in a pipe. The kernel keeps
// them for it when the ring is gone, as it has left them.
type headers struct {
	read, write *os.File
	blocks      int
}

// keepHeaders puts the pages, not copies of them, into a pipe, by vmsplice(2).
func (r *Ring) keepHeaders() (*headers, error) {
	page := os.Getpagesize()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	h := &headers{read, write, len(r.blocks)}
	raw, err := write.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	pages := make([]unix.Iovec, len(r.blocks))
	for i, b := range r.blocks {
		pages[i].Base = &b[0]
		pages[i].SetLen(page)
	}
	cerr := raw.Control(func(fd uintptr) {
		if _, err = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, len(pages)*page); err != nil {
			return
		}
		var n int
		n, err = unix.Vmsplice(int(fd), pages, unix.SPLICE_F_NONBLOCK)
		if err == nil && n < len(pages)*page {
			err = errors.New("a page is missing in the pipe")
		}
	})
	if err = errors.Join(err, cerr); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// packets are how many the ring held from block next on: those of the blocks that
// are retired, and of the one that the kernel was filling. That is the first that
// is not retired, unless the kernel had no block: then it has not numbered it anew.
// It closes the pipe.
func (h *headers) packets(next int) (n uint64) {
	defer h.close()
	page := os.Getpagesize()
	all := make([]byte, h.blocks*page)
	for got := 0; got < len(all); {
		more, err := h.read.Read(all[got:])
		if err != nil {
			return 0
		}
		got += more
	}
	block := func(i int) []byte { return all[(i+h.blocks)%h.blocks*page:][:page] }
	for i := next; i < next+h.blocks; i++ {
		filling := atomic.LoadUint32(statusOf(block(i)))&statusUser == 0
		if filling && numberOf(block(i)) < numberOf(block(i-1)) {
			break
		}
		n += uint64(atomic.LoadUint32(packetsOf(block(i))))
		if filling {
			break
		}
	}
	return n
}

func (h *headers) close() error { return errors.Join(h.read.Close(), h.write.Close()) }
