package afpacket_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"icap/afpacket"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

func TestBurstThenInterfaceDeleted(t *testing.T) {
	const n = 1000
	w := newWire(t)
	r := w.open(t, afpacket.Config{})
	start(t, r)
	send(t, w.a, to, n, 200)
	labtest.WithLink(t, w.a, "va", netlink.LinkDel)
	count, end := drain(t, r)
	if !errors.Is(end, afpacket.ErrGone) || sum(count) != n {
		t.Errorf("got %v, %v; want %d packets", count, end, n)
	}
}

func TestInterfaceDownAndUp(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{RetireTimeout: 10 * time.Millisecond})
	start(t, r)
	send(t, w.a, to, 10, 64)
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	got := 0
	for got < 10 {
		b, err := r.Next()
		if errors.Is(err, afpacket.ErrDown) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got += b.Len()
		b.Release()
	}
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetUp)
	awaitCarrier(t, w.a, "va")
	send(t, w.a, to, 20, 64)
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	count, end := drain(t, r)
	if end != io.EOF || sum(count) != 20 {
		t.Errorf("after up: %v, %v; want 20 packets", count, end)
	}
}

// TestDownIsNoticed waits for nothing but the news.
func TestDownIsNoticed(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{})
	start(t, r)
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	if _, err := r.Next(); !errors.Is(err, afpacket.ErrDown) {
		t.Errorf("got %v, want %v", err, afpacket.ErrDown)
	}
}

// TestDeletedWhileDown is noticed although the kernel does not say it, and
// although packets from before are still to be taken.
func TestDeletedWhileDown(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{RetireTimeout: 300 * time.Millisecond})
	start(t, r)
	send(t, w.a, to, 10, 64)
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	if _, err := r.Next(); !errors.Is(err, afpacket.ErrDown) {
		t.Fatalf("got %v, want %v", err, afpacket.ErrDown)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	labtest.WithLink(t, w.a, "va", netlink.LinkDel)
	if _, err := r.Next(); !errors.Is(err, afpacket.ErrGone) {
		t.Errorf("got %v, want %v", err, afpacket.ErrGone)
	}
}

func TestStopWhileDown(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{})
	start(t, r)
	labtest.WithLink(t, w.b, "vb", netlink.LinkSetDown)
	if _, err := r.Next(); !errors.Is(err, afpacket.ErrDown) {
		t.Fatalf("got %v, want %v", err, afpacket.ErrDown)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
}

func awaitCarrier(t *testing.T, ns *nsswitch.NS, name string) {
	t.Helper()
	for range 200 {
		up := false
		labtest.WithLink(t, ns, name, func(l netlink.Link) error {
			up = l.Attrs().OperState == netlink.OperUp
			return nil
		})
		if up {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s did not come up", name)
}
