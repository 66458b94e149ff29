package direct_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/afpacket"
	"icap/internal/direct"
	"icap/internal/lab/labtest"
)

// burst is n frames of a size, numbered.
func burst(n, size int) (frames [][]byte) {
	for i := range n {
		f := ethernet(size, false)
		binary.BigEndian.PutUint32(f[14:], uint32(i))
		frames = append(frames, f)
	}
	return frames
}

// What was sent before the end is in the file, once, to the last packet.
func TestBurstThenStop(t *testing.T) {
	for _, rings := range []int{1, 3} {
		for _, size := range []int{60, 1400} {
			t.Run(fmt.Sprintf("%d rings, %d bytes", rings, size), func(t *testing.T) {
				const n = 5000
				w := newWire(t)
				f, out := newFile(t)
				c := direct.Config{Rings: w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 512 << 10, Blocks: 64}}, rings), File: out}
				result, err := run(t, c, func() { w.send(t, burst(n, size), 0) })
				if err != nil || result.Total().Written != n {
					t.Fatal(result.Total(), err)
				}
				seen := make(map[uint32]bool)
				for _, p := range read(t, f.Name()) {
					seen[binary.BigEndian.Uint32([]byte(p.data[14:]))] = true
				}
				if len(seen) != n {
					t.Errorf("%d different packets, want %d", len(seen), n)
				}
				judge(t, f.Name(), n)
			})
		}
	}
}

func TestBurstThenInterfaceDeleted(t *testing.T) {
	const n = 3000
	for _, rings := range []int{1, 2} {
		w := newWire(t)
		f, out := newFile(t)
		result, err := run(t, direct.Config{Rings: w.open(t, afpacket.Config{}, rings), File: out}, func() {
			w.send(t, burst(n, 500), 0)
			labtest.WithLink(t, w.a, "va", netlink.LinkDel)
			<-t.Context().Done() // the capture ends by itself
		})
		if !errors.Is(err, afpacket.ErrGone) || !result.Sources[0].Gone || result.Total().Written != n {
			t.Errorf("%d rings: %+v, %v", rings, result.Total(), err)
		}
		judge(t, f.Name(), n)
	}
}

// An interface that goes down and comes up again is told and captured on.
func TestDownAndUp(t *testing.T) {
	w := newWire(t)
	f, out := newFile(t)
	down := make(chan error, 10)
	c := direct.Config{Rings: w.open(t, afpacket.Config{}, 1), File: out, Fault: func(_ int, err error) { down <- err }}
	result, err := run(t, c, func() {
		w.send(t, burst(100, 500), 0)
		labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
		if err := <-down; !errors.Is(err, afpacket.ErrDown) {
			t.Error(err)
		}
		labtest.WithLink(t, w.b, "vb", netlink.LinkSetUp)
		w.send(t, burst(100, 500), 0)
	})
	if err != nil || result.Total().Written != 200 {
		t.Error(result.Total(), err)
	}
	judge(t, f.Name(), 200)
}

// A count ends the capture with exactly so many packets in the file.
func TestCount(t *testing.T) {
	const sent = 3000
	for _, rings := range []int{1, 3} {
		for _, count := range []uint64{1, 777, sent} {
			w := newWire(t)
			f, out := newFile(t)
			c := direct.Config{Rings: w.open(t, afpacket.Config{Snaplen: 2000, RetireTimeout: 5 * time.Millisecond,
				Ring: afpacket.Geometry{BlockSize: 64 << 10, Blocks: 128}}, rings), File: out, Count: count}
			result, err := run(t, c, func() {
				w.send(t, burst(sent, 200), 0)
				<-t.Context().Done()
			})
			if err != nil || result.Total().Written != count {
				t.Errorf("%d rings, count %d: %+v, %v", rings, count, result.Total(), err)
			}
			judge(t, f.Name(), int(count))
		}
	}
}

// A packet that is larger than a block is cut, by the kernel, and captured.
func TestLargerThanBlock(t *testing.T) {
	w := newWire(t)
	f, out := newFile(t)
	c := direct.Config{Rings: w.open(t, afpacket.Config{Snaplen: 2000, Ring: afpacket.Geometry{BlockSize: 16 << 10, Blocks: 64}}, 1), File: out}
	frames := append(burst(3, 20_000), burst(3, 100)...)
	result, err := run(t, c, func() { w.send(t, frames, 0) })
	if err != nil || result.Total().Written != 6 {
		t.Fatal(result.Total(), err)
	}
	for i, p := range read(t, f.Name()) {
		if p.size != len(frames[i]) || len(p.data) < min(12_000, p.size) || p.data != string(frames[i][:len(p.data)]) {
			t.Errorf("packet %d: %d of %d bytes, sent %d", i, len(p.data), p.size, len(frames[i]))
		}
	}
	judge(t, f.Name(), 6)
}

// Nothing captured is a file, too.
func TestNoPacket(t *testing.T) {
	w := newWire(t)
	f, out := newFile(t)
	result, err := run(t, direct.Config{Rings: w.open(t, afpacket.Config{}, 2), File: out}, func() {})
	if err != nil || result.Total().Received != 0 {
		t.Error(result.Total(), err)
	}
	if got := read(t, f.Name()); len(got) != 0 {
		t.Errorf("%d packets", len(got))
	}
}

// The way through the page cache, which a ring takes that has filled up, leaves
// nothing out and nothing torn.
func TestPiledUp(t *testing.T) {
	const n = 20_000
	w := newWire(t)
	f, out := newFile(t)
	rings := w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 512 << 10, Blocks: 80}}, 1)
	c := direct.Config{Rings: rings, File: out}
	result, err := run(t, c, func() { w.send(t, burst(n, 1400), 0) }, func() {
		// Before the first block is looked at, most of them are full.
		w.send(t, burst(n, 1400), 0)
		if filled := rings[0].Filled(); filled <= 40 {
			t.Errorf("%d blocks are full", filled)
		}
	})
	if err != nil || result.Total().Written != 2*n {
		t.Error(result.Total(), err)
	}
	if got := len(read(t, f.Name())); got != 2*n {
		t.Errorf("%d packets in the file, want %d", got, 2*n)
	}
}

// A context that has ended before the start captures nothing and is no error.
func TestEndedBeforeStart(t *testing.T) {
	w := newWire(t)
	_, out := newFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := direct.Run(ctx, direct.Config{Rings: w.open(t, afpacket.Config{}, 1), File: out}); err != nil {
		t.Error(err)
	}
}
