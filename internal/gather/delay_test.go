package gather_test

import (
	"context"
	"io"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"icap/internal/gather"
)

// A scene is a merge that runs in a bubble of its own time.
type scene struct {
	t     *testing.T
	g     *gather.Gatherer
	f     *os.File
	nodes []*node
	done  chan struct{}
	r     *gather.Result
}

// A node is a stream that the test writes while it is merged.
type node struct {
	*script
	*gather.Stream
	t     *testing.T
	w     *io.PipeWriter
	ended bool
}

// play runs a test with a merge of so many nodes, each with one interface.
func play(t *testing.T, c gather.Config, nodes int, f func(s *scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, f: create(t), done: make(chan struct{})}
		s.g = gather.New(s.f, c)
		for i := range nodes {
			s.join(string(rune('a'+i)), gather.Offset{})
		}
		go func() {
			defer close(s.done)
			var err error
			if s.r, err = s.g.Run(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		f(s)
	})
}

func (s *scene) join(name string, clock gather.Offset) *node {
	s.t.Helper()
	r, w := io.Pipe()
	stream, err := s.g.Add(gather.Source{Node: name, Stream: r, Clock: clock})
	if err != nil {
		s.t.Fatal(err)
	}
	n := &node{script: oneLeg(name), Stream: stream, t: s.t, w: w}
	s.nodes = append(s.nodes, n)
	return n
}

func oneLeg(name string) *script { return stream("eth0:inbound-wire@" + name) }

// send writes what was added to the stream, and lets the merge take it.
func (n *node) send() {
	n.t.Helper()
	if _, err := n.w.Write(n.take()); err != nil {
		n.t.Error(err)
	}
	synctest.Wait()
}

// end ends the stream in order.
func (n *node) end() {
	if n.ended {
		return
	}
	n.ended = true
	n.statistics(1000)
	n.send()
	_ = n.w.Close()
	synctest.Wait()
}

// finish ends all streams and the merge.
func (s *scene) finish() *gather.Result {
	for _, n := range s.nodes {
		n.end()
	}
	s.g.Close()
	<-s.done
	return s.r
}

// written is the data of all packets that are in the file.
func (s *scene) written() (data []string) {
	b := content(s.t, s.f)
	if len(b) == 0 {
		return nil
	}
	for _, b := range read(s.t, b) {
		if b.Packet != nil {
			data = append(data, string(b.Packet.Data))
		}
	}
	return data
}

func (s *scene) want(data ...string) {
	s.t.Helper()
	synctest.Wait()
	if got := s.written(); !slices.Equal(got, data) {
		s.t.Errorf("written %q, want %q", got, data)
	}
}

// TestSilent has a stream hold back another for as long as Delay, and no
// longer.
func TestSilent(t *testing.T) {
	play(t, gather.Config{}, 2, func(s *scene) {
		a, b := s.nodes[0], s.nodes[1]
		a.packet(0, 10, "a10")
		a.send()
		b.send() // a header only
		time.Sleep(2*time.Second - 1)
		s.want()
		time.Sleep(time.Second)
		s.want("a10")

		b.packet(0, 5, "b5") // late, and written at once
		b.send()
		s.want("a10", "b5")

		a.packet(0, 20, "a20")
		a.send()
		time.Sleep(time.Second)
		b.packet(0, 15, "b15") // in time, and b may have more like it
		b.send()
		s.want("a10", "b5", "b15")
		b.packet(0, 30, "b30") // which it has not
		b.send()
		s.want("a10", "b5", "b15", "a20")
		a.end() // holds nobody back any more
		s.want("a10", "b5", "b15", "a20", "b30")

		r := s.finish()
		if late := r.Streams[1]; r.Late != 1 || late.Late != 1 || late.LateBy != 5*time.Millisecond {
			t.Errorf("late %d, of b %d by %v", r.Late, late.Late, late.LateBy)
		}
	})
}

// TestDelayIsBounded has a slow stream that always has something older.
func TestDelayIsBounded(t *testing.T) {
	play(t, gather.Config{Delay: time.Second}, 2, func(s *scene) {
		a, b := s.nodes[0], s.nodes[1]
		a.packet(0, 1000, "a")
		a.send()
		want := []string{}
		for i := range 9 {
			b.packet(0, int64(i), "b")
			b.send()
			want = append(want, "b")
			s.want(want...)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		s.want(append(want, "a")...)
		b.packet(0, 100, "late")
		b.send()
		s.want(append(want, "a", "late")...)
		s.finish()
	})
}

// TestWaitingForOlder has a packet wait although the oldest at hand came later.
func TestWaitingForOlder(t *testing.T) {
	play(t, gather.Config{Delay: time.Second}, 3, func(s *scene) {
		a, b := s.nodes[0], s.nodes[1]
		a.packet(0, 50, "a50")
		a.send()
		time.Sleep(900 * time.Millisecond)
		b.packet(0, 40, "b40")
		b.send()
		s.want()
		time.Sleep(100 * time.Millisecond)
		s.want("b40", "a50")
		s.finish()
	})
}

// TestJoin adds a stream to a merge that runs, and one that comes too late.
func TestJoin(t *testing.T) {
	play(t, gather.Config{Delay: time.Minute}, 1, func(s *scene) {
		a := s.nodes[0]
		a.packet(0, 10, "a10")
		a.send()
		s.want("a10")
		c := s.join("c", gather.Offset{})
		a.packet(0, 30, "a30")
		a.send()
		s.want("a10")
		c.packet(0, 20, "c20")
		c.end()
		s.want("a10", "c20", "a30")
		s.finish()
		r, _ := io.Pipe()
		if _, err := s.g.Add(gather.Source{Stream: r}); err != gather.ErrClosed {
			t.Errorf("added after the end: %v", err)
		}
		if _, err := r.Read(nil); err != io.ErrClosedPipe {
			t.Errorf("a stream that was refused is open: %v", err)
		}
	})
}

// TestCancel ends a merge whose streams go on: what is held is written.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := create(t)
		g := gather.New(f, gather.Config{Delay: time.Hour})
		s := &scene{t: t, g: g, f: f}
		a, b := s.join("a", gather.Offset{}), s.join("b", gather.Offset{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		a.packet(0, 10, "a10")
		go func() {
			_, _ = a.w.Write(a.take())
			_, _ = b.w.Write(b.take())
		}()
		r, err := g.Run(ctx)
		if err != nil {
			t.Error(err)
		}
		s.want("a10")
		for i, own := range r.Streams {
			if !own.Ended || own.Err == nil || own.Packets != []uint64{1, 0}[i] {
				t.Errorf("%+v", own)
			}
		}
		if _, err := a.w.Write([]byte("more")); err != io.ErrClosedPipe {
			t.Errorf("a stream is open behind the end: %v", err)
		}
	})
}
