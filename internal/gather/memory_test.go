package gather_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/gather"
)

// TestBlockedOutput merges far more than there is memory for into a pipe that
// nobody reads for a while: the streams are read no further than memory goes,
// and then everything comes, in order.
func TestBlockedOutput(t *testing.T) {
	const (
		nodes   = 50
		packets = 1000
		memory  = 8 << 20
		// What is in none of the buffers: the batch, and what the pipe has.
		beside = 2 << 20
	)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var read atomic.Int64
	g := gather.New(in, gather.Config{Memory: memory, Delay: time.Hour})
	want, all := 0, make(chan struct{})
	for i := range nodes {
		y := newSynthetic(i, nodes, packets, 1400, &read)
		want += y.left
		if _, err := g.Add(gather.Source{Node: fmt.Sprint("n", i), Stream: &gated{y, all}}); err != nil {
			t.Fatal(err)
		}
	}
	close(all)
	g.Close()
	var result *gather.Result
	done := make(chan error, 1)
	go func() {
		defer in.Close()
		var err error
		result, err = g.Run(context.Background())
		done <- err
	}()
	for g.Result().Held < memory*3/4 { // else the test would end by its timeout
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // to go too far, if it would
	if n := read.Load(); n > memory+beside {
		t.Errorf("%d bytes read while nothing could be written, of %d", n, want*1400)
	}
	got, last := 0, int64(0)
	r, err := capfile.NewReader(out)
	for err == nil {
		var b *capfile.Block
		if b, err = r.Next(); err == nil && b.Packet != nil {
			got++
			if b.Packet.Time < last {
				t.Fatalf("packet %d is out of order", got)
			}
			last = b.Packet.Time
		}
	}
	if err != io.EOF {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got != want || result.Packets != uint64(want) || result.MostHeld > memory || result.Held != 0 || result.Late != 0 {
		t.Errorf("%d packets, want %d; %d late, %d held, %d at most", got, want, result.Late, result.Held, result.MostHeld)
	}
}

// TestFullWhileSilent has a stream that brings nothing, and memory that is full
// because of it. What waits is written long before Delay is over.
func TestFullWhileSilent(t *testing.T) {
	play(t, gather.Config{Memory: 1, Delay: time.Minute}, 1, func(s *scene) {
		var read atomic.Int64
		y := newSynthetic(0, 1, 5000, 1400, &read)
		began := time.Now()
		if _, err := s.g.Add(gather.Source{Node: "busy", Stream: y}); err != nil {
			s.t.Fatal(err)
		}
		for y := s.g.Result(); !y.Streams[1].Ended; y = s.g.Result() {
			time.Sleep(time.Second)
		}
		if waited := time.Since(began); waited > time.Minute {
			s.t.Errorf("%v until 7 MB went through 2 MiB of memory", waited)
		}
		s.finish()
	})
}

// TestReaderGone ends with the error of the output, and closes the streams.
func TestReaderGone(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_ = out.Close()
	r, w := io.Pipe()
	g := gather.New(in, gather.Config{})
	if _, err := g.Add(gather.Source{Node: "n", Stream: r}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = w.Write(oneLeg("x").b) }()
	if _, err := g.Run(context.Background()); err == nil {
		t.Error("no error of a pipe without a reader")
	}
	if _, err := w.Write([]byte("more")); err != io.ErrClosedPipe {
		t.Errorf("the stream is open: %v", err)
	}
}

// TestCancelBlocked cancels a merge that waits for a reader who does not read.
func TestCancelBlocked(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	var read atomic.Int64
	g := gather.New(in, gather.Config{Memory: 1})
	if _, err := g.Add(gather.Source{Node: "n", Stream: newSynthetic(0, 1, 10_000, 1400, &read)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for g.Result().Held < 1<<20 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	r, err := g.Run(ctx)
	if err == nil || r.Streams[0].Err == nil {
		t.Errorf("error %v, of the stream %v", err, r.Streams[0].Err)
	}
}

// TestAllocations merges many packets and four times as many: no packet costs
// an allocation.
func TestAllocations(t *testing.T) {
	merge := func(packets int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		mergeSynthetic(t, 10, packets, 200, gather.Config{Delay: time.Hour})
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	const packets = 20_000
	merge(packets) // what is made once
	few, many := merge(packets), merge(4*packets)
	if more := int64(many) - int64(few); more > 10*3*packets/100 {
		t.Errorf("%d allocations for %d packets, %d for %d", few, 10*packets, many, 40*packets)
	}
}

// mergeSynthetic merges streams of so many packets each into nowhere.
func mergeSynthetic(tb testing.TB, nodes, packets, size int, c gather.Config) *gather.Result {
	tb.Helper()
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	var read atomic.Int64
	g := gather.New(out, c)
	all := make(chan struct{})
	for i := range nodes {
		s := gather.Source{Node: fmt.Sprint("node-", i), Stream: &gated{newSynthetic(i, nodes, packets, size, &read), all}}
		if _, err := g.Add(s); err != nil {
			tb.Fatal(err)
		}
	}
	close(all)
	g.Close()
	r, err := g.Run(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	if r.Late > 0 || r.Packets < uint64(nodes*packets) {
		tb.Errorf("%d packets, %d late", r.Packets, r.Late)
	}
	return r
}
