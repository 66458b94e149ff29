package afpacket_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/lab"
)

func TestBurstThenStop(t *testing.T) {
	const n = 2000
	for name, c := range map[string]afpacket.Config{
		"alone": {}, "locked": {Lock: true}, "in a group": {Group: &afpacket.Group{}, Lock: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			r := w.open(t, c)
			start(t, r)
			send(t, w.a, to, n, 200)
			if err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			send(t, w.a, to, 10, 200) // too late
			count, end := drain(t, r)
			if end != io.EOF || sum(count) != n {
				t.Errorf("got %v, %v; want %d packets", count, end, n)
			}
			s, err := r.Stats()
			if err != nil || s.Received != n || s.Delivered != n || s.Dropped != 0 {
				t.Errorf("statistics %+v, %v", s, err)
			}
		})
	}
}

// TestStopUnderLoad stops rings while packets come: what was received is
// delivered, to the last one.
func TestStopUnderLoad(t *testing.T) {
	for _, grouped := range []bool{false, true} {
		t.Run(fmt.Sprintf("grouped %v", grouped), func(t *testing.T) {
			const n = 20000
			w := newWire(t)
			rings := make([]*afpacket.Ring, 5)
			for i := range rings {
				c := afpacket.Config{Lock: true}
				if grouped {
					c.Group = &afpacket.Group{}
				}
				rings[i] = w.open(t, c)
				start(t, rings[i])
			}
			sent := make(chan error, 1)
			go func() {
				_, err := lab.SendUDP(w.a, to, n, 100)
				sent <- err
			}()
			for i, r := range rings {
				for s, err := r.Stats(); err == nil && s.Received == 0; s, err = r.Stats() {
					time.Sleep(time.Millisecond)
				}
				if err := r.Stop(); err != nil {
					t.Fatal(err)
				}
				count, end := drain(t, r)
				s, err := r.Stats()
				if end != io.EOF || err != nil || uint64(sum(count)) != s.Received-s.Dropped || s.Received == 0 {
					t.Errorf("ring %d: %d packets, %v; statistics %+v, %v", i, sum(count), end, s, err)
				}
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLock tries to put another filter on the socket of a ring.
func TestLock(t *testing.T) {
	for _, c := range []afpacket.Config{{}, {Lock: true}, {Lock: true, Group: &afpacket.Group{}}} {
		w := newWire(t)
		before := packetSockets(t)
		r := w.open(t, c)
		start(t, r)
		want := error(nil)
		if r.Locked() {
			want = unix.EPERM
		}
		if r.Locked() != (c.Lock && c.Group == nil) {
			t.Errorf("%+v: locked is %v", c, r.Locked())
		}
		tried := false
		for fd := range packetSockets(t) {
			if before[fd] {
				continue
			}
			all := []unix.SockFilter{{Code: unix.BPF_RET, K: 1}}
			err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &all[0]})
			if !errors.Is(err, want) {
				t.Errorf("locked is %v: %v", r.Locked(), err)
			}
			tried = true
		}
		if !tried {
			t.Error("no packet socket")
		}
	}
}

// packetSockets are the descriptors of this process that are such.
func packetSockets(t *testing.T) map[int]bool {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[int]bool)
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if domain, derr := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && derr == nil && domain == unix.AF_PACKET {
			all[fd] = true
		}
	}
	return all
}

// Nothing that was on the wire before Start gets in, and nothing of another
// interface.
func TestNothingBeforeStart(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{})
	send(t, w.a, to, 50, 64)
	send(t, w.b, netip.MustParseAddrPort("127.0.0.1:9"), 50, 64)
	start(t, r)
	send(t, w.b, netip.MustParseAddrPort("127.0.0.1:9"), 50, 64)
	send(t, w.a, to, 7, 64)
	_ = r.Stop()
	if count, _ := drain(t, r); sum(count) != 7 {
		t.Errorf("%v, want 7 packets", count)
	}
}

func TestIdleKnowsTheOpenBlock(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{RetireTimeout: 20 * time.Millisecond})
	start(t, r)
	for round := range 40 { // several times round the ring
		if !r.Idle() {
			t.Fatalf("round %d: not idle before the packet", round)
		}
		send(t, w.a, to, 1, 64)
		if r.Idle() {
			t.Fatalf("round %d: idle with a packet in the open block", round)
		}
		send(t, w.a, to, 900, 1200) // fills the block
		for {
			b, ok := r.Take()
			if !ok {
				break
			}
			b.Release()
		}
		for !r.Idle() {
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
	}
}

// Holding every block makes the ring wait for a release, not deliver a block
// twice.
func TestAllBlocksHeld(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 1 << 19, Blocks: 2}, RetireTimeout: 5 * time.Millisecond})
	start(t, r)
	var held []afpacket.Block
	for len(held) < 2 {
		send(t, w.a, to, 3, 64)
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, b)
	}
	if _, ok := r.Take(); ok {
		t.Fatal("a third block out of two")
	}
	done := make(chan int)
	go func() {
		b, err := r.Next()
		if err != nil {
			t.Error(err)
		}
		done <- b.Len()
	}()
	held[0].Release()
	held[1].Release()
	send(t, w.a, to, 5, 64)
	if n := <-done; n == 0 {
		t.Error("empty block after the release")
	}
}

// TestInterrupt ends the wait for a ring, which goes on receiving.
func TestInterrupt(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{})
	start(t, r)
	for range 3 {
		if err := r.Interrupt(); err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.Take(); ok {
			t.Fatal("there is a block")
		}
	}
	send(t, w.a, to, 5, 100)
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if count, end := drain(t, r); sum(count) != 5 || end != io.EOF {
		t.Errorf("%d packets, %v", sum(count), end)
	}
}
