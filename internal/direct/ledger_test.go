package direct

import (
	"errors"
	"testing"
)

// chunk is one of some pages for a ledger.
func chunk(pages, packets int) *Chunk {
	data := make([]byte, pages*pageSize)
	return &Chunk{Data: data, Packets: packets, statistics: 56}
}

func takes(t *testing.T, l *ledger, ring int, c *Chunk) int64 {
	t.Helper()
	at, _, err := l.take(ring, c, counts{received: uint64(ring+1) * 10, dropped: uint64(ring)})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// What is written behind a gap does not count before the gap is closed.
func TestLedgerGap(t *testing.T) {
	l := newLedger(pageSize, []int{0, 0}, 0)
	a := takes(t, l, 0, chunk(2, 5))
	b := takes(t, l, 1, chunk(1, 7))
	if a != pageSize || b != 3*pageSize {
		t.Fatalf("places %d and %d", a, b)
	}
	l.wrote(b, pageSize, 7, nil)
	if size, err := l.end(); size != pageSize || err != nil || l.packets()[1] != 0 {
		t.Errorf("%d bytes, %v packets with a gap, %v", size, l.packets(), err)
	}
	l.wrote(a, 2*pageSize, 5, nil)
	if size, err := l.end(); size != 4*pageSize || err != nil || l.packets()[0] != 5 || l.packets()[1] != 7 {
		t.Errorf("%d bytes, %v packets without, %v", size, l.packets(), err)
	}
}

// After a fault, what is behind it is lost, whether or not it is written.
func TestLedgerFault(t *testing.T) {
	l := newLedger(0, []int{0, 0, 0}, 0)
	a, b, c := takes(t, l, 0, chunk(1, 1)), takes(t, l, 1, chunk(1, 2)), takes(t, l, 2, chunk(1, 4))
	fault := errors.New("no space")
	l.wrote(b, 1000, 1, fault)
	l.wrote(c, pageSize, 4, nil)
	l.wrote(a, pageSize, 1, nil)
	size, err := l.end()
	if size != pageSize+1000 || err != fault {
		t.Errorf("%d bytes, %v", size, err)
	}
	if p := l.packets(); p[0] != 1 || p[1] != 1 || p[2] != 0 {
		t.Errorf("%v packets", p)
	}
	if _, _, err := l.take(0, chunk(1, 1), counts{}); err != fault {
		t.Errorf("take after a fault: %v", err)
	}
}

// A ring does not get further ahead of another than agreed, and goes on when
// that one has written, or a fault ends all.
func TestLedgerWaits(t *testing.T) {
	for _, fault := range []error{nil, errors.New("broken")} {
		l := newLedger(0, []int{0, 0}, 0)
		slow := takes(t, l, 0, chunk(1, 1))
		for range 2*ahead - 1 {
			l.wrote(takes(t, l, 1, chunk(1, 1)), pageSize, 1, nil)
		}
		next := make(chan error)
		go func() {
			_, _, err := l.take(1, chunk(1, 1), counts{})
			next <- err
		}()
		select {
		case <-next:
			t.Fatal("a ring is further ahead than allowed")
		default:
		}
		l.wrote(slow, pageSize, 1, fault)
		if err := <-next; err != fault {
			t.Errorf("%v, want %v", err, fault)
		}
	}
}

// A small chunk continues the last page only of its own ring, and only when
// nothing is in the way.
func TestLedgerSmall(t *testing.T) {
	small := func() *Chunk { return &Chunk{Data: make([]byte, 100), Packets: 1, Small: true, statistics: 56} }
	l := newLedger(pageSize, []int{0, 0}, 0)
	for i, step := range []struct {
		ring int
		c    *Chunk
		want int64
	}{
		{0, small(), pageSize},
		{0, small(), pageSize + 100},
		{1, small(), 2 * pageSize},
		{0, small(), 3 * pageSize},
		{0, chunk(1, 1), 4 * pageSize},
		{0, small(), 5 * pageSize},
	} {
		at := takes(t, l, step.ring, step.c)
		if at != step.want {
			t.Errorf("step %d is at %d, want %d", i, at, step.want)
		}
		end := at + int64(len(step.c.Data))
		l.wrote(at, end+fill(end)-at, 1, nil)
	}
	if size, err := l.end(); size != 5*pageSize+100 || err != nil {
		t.Errorf("%d bytes, %v", size, err)
	}
	if p := l.packets(); p[0] != 5 || p[1] != 1 {
		t.Errorf("%v packets", p)
	}
}

// The counters of a chunk are those of all rings of its interface.
func TestLedgerCounts(t *testing.T) {
	l := newLedger(0, []int{0, 1, 1}, 0)
	var c *Chunk
	for ring := range 3 {
		c = chunk(1, 1)
		l.wrote(takes(t, l, ring, c), pageSize, 1, nil)
	}
	if c.received != 50 || c.dropped != 3 {
		t.Errorf("%d received and %d dropped, want 50 and 3", c.received, c.dropped)
	}
}

func TestLedgerLimit(t *testing.T) {
	l := newLedger(0, []int{0}, 10)
	for _, step := range []struct {
		n, want int
		last    bool
	}{{4, 4, false}, {6, 6, true}, {1, 0, true}} {
		if n, last := l.admit(step.n); n != step.want || last != step.last {
			t.Errorf("%d of %d, last %v", n, step.n, last)
		}
	}
}
