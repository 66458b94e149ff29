package capture_test

import (
	"context"
	"errors"
	"testing"

	"github.com/vishvananda/netlink"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/lab/labtest"
)

// joining is a capture that rings can join.
type joining struct {
	pair
	t    *testing.T
	more chan *capture.Addition
	sink *recorder
}

// join adds a ring and waits until it is on the wire.
func (j *joining) join(c afpacket.Config, name string, first *int) *afpacket.Ring {
	j.t.Helper()
	started := make(chan struct{})
	rings := j.open(j.t, c, name)
	j.more <- &capture.Addition{
		Rings:   rings,
		Join:    func(i int) error { *first = i; return nil },
		Started: func() { close(started) },
	}
	<-started
	return rings[0]
}

// TestJoin has a second ring join the first, then the first leave, and a third
// join when none is left.
func TestJoin(t *testing.T) {
	j := &joining{pair: newPair(t), t: t, more: make(chan *capture.Addition), sink: &recorder{}}
	given := j.open(t, afpacket.Config{}, "bx")
	left := make(chan *afpacket.Ring, 4)
	c := capture.Config{Rings: given, Sink: j.sink, More: j.more, Left: func(r *afpacket.Ring) {
		left <- r
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}}
	second, third := -1, -1
	result, err := run(t, c, func() {
		j.send(t, 0, 300, 200)
		r2 := j.join(afpacket.Config{}, "by", &second)
		for range 100 {
			j.send(t, 0, 2, 200)
			j.send(t, 1, 3, 200)
		}
		for _, r := range []*afpacket.Ring{given[0], r2} {
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if got := <-left; got != r {
				t.Error("another ring has left")
			}
		}
		j.send(t, 0, 10, 200) // nobody is there
		j.join(afpacket.Config{}, "bx", &third)
		j.send(t, 0, 40, 200)
	})
	if err != nil {
		t.Fatal(err)
	}
	j.sink.inOrder(t)
	got := j.sink.sources
	if second != 1 || third != 2 || got[0] != 500 || got[1] != 300 || got[2] != 40 {
		t.Errorf("sources %d and %d joined; packets %v", second, third, got)
	}
	if len(result.Sources) != 3 || result.Total().Written != 840 || result.Total().Received != 840 {
		t.Errorf("%+v", result.Sources)
	}
	if len(given) != 1 {
		t.Errorf("the caller's list has %d rings now", len(given))
	}
}

// TestJoinGroup lets two rings that share an interface join as one source.
func TestJoinGroup(t *testing.T) {
	j := &joining{pair: newPair(t), t: t, more: make(chan *capture.Addition), sink: &recorder{}}
	c := capture.Config{Rings: j.open(t, afpacket.Config{}, "bx"), Sink: j.sink, More: j.more}
	if _, err := run(t, c, func() {
		started := make(chan struct{})
		config := afpacket.Config{Group: &afpacket.Group{Spread: afpacket.ByTurn}}
		j.more <- &capture.Addition{Rings: j.open(t, config, "by", "by"), Of: []int{0, 0}, Started: func() { close(started) }}
		<-started
		j.send(t, 1, 100, 200)
		j.send(t, 0, 50, 200)
	}); err != nil {
		t.Fatal(err)
	}
	if got := j.sink.sources; len(got) != 2 || got[0] != 50 || got[1] != 100 {
		t.Errorf("packets %v", got)
	}
}

// TestGoneButMore goes on without an interface until nothing can join.
func TestGoneButMore(t *testing.T) {
	j := &joining{pair: newPair(t), t: t, more: make(chan *capture.Addition), sink: &recorder{}}
	gone := make(chan struct{})
	c := capture.Config{Rings: j.open(t, afpacket.Config{}, "bx"), Sink: j.sink, More: j.more,
		Fault: func(source int, err error) {
			if source == 0 && errors.Is(err, afpacket.ErrGone) {
				close(gone)
			}
		}}
	c.Started = func() {
		go func() {
			labtest.WithLink(t, j.a, "ax", netlink.LinkDel)
			<-gone
			var first int
			j.join(afpacket.Config{}, "by", &first)
			j.send(t, 1, 5, 200)
			labtest.WithLink(t, j.a, "ay", netlink.LinkDel)
			close(j.more)
		}()
	}
	result, err := capture.Run(t.Context(), c)
	if !errors.Is(err, afpacket.ErrGone) || result.Total().Written != 5 {
		t.Errorf("%v, %+v", err, result.Total())
	}
}

// TestJoinFails ends the capture with the error of Join.
func TestJoinFails(t *testing.T) {
	j := &joining{pair: newPair(t), t: t, more: make(chan *capture.Addition, 1), sink: &recorder{}}
	want := errors.New("no room")
	j.more <- &capture.Addition{Rings: j.open(t, afpacket.Config{}, "by"), Join: func(int) error { return want }}
	_, err := capture.Run(context.Background(), capture.Config{Rings: j.open(t, afpacket.Config{}, "bx"), Sink: j.sink, More: j.more})
	if err != want {
		t.Errorf("error is %v, want %v", err, want)
	}
}
