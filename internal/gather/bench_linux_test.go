package gather_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/pcapwriter"
)

// BenchmarkMerge merges streams as fast as it can, into nowhere. The streams
// take turns packet by packet, which is the most that a merge can have to do.
// An operation is a packet.
func BenchmarkMerge(b *testing.B) {
	for _, nodes := range []int{2, 100, 1000} {
		for _, size := range []int{200, 1400} {
			b.Run(fmt.Sprintf("nodes=%d/size=%d", nodes, size), func(b *testing.B) {
				each := b.N/nodes + 1
				began, cpu := time.Now(), cpuTime()
				r := mergeSynthetic(b, nodes, each, size, gather.Config{Delay: time.Minute})
				took := time.Since(began).Seconds()
				b.ReportMetric(float64(r.Packets)/took/1e6, "Mpackets/s")
				b.ReportMetric(float64(r.Bytes)/took/1e6, "MB/s")
				b.ReportMetric(float64(cpuTime()-cpu)/float64(r.Packets), "cpu-ns/packet")
				b.ReportMetric(float64(r.MostHeld)/(1<<20), "held-MiB")
			})
		}
	}
}

// cpuTime is what the process took of all CPUs.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDelay merges streams that capture in real time, into a pipe whose
// reader looks when each packet comes out. An operation is a millisecond of a
// second in which all streams together have 100,000 packets. One of them may be
// slow, which brings its packets five seconds late, and one dead, which brings
// nothing but holds the line.
func BenchmarkDelay(b *testing.B) {
	for _, nodes := range []int{100, 1000} {
		for _, slow := range []bool{false, true} {
			name := "all-well"
			if slow {
				name = "one-slow-one-dead"
			}
			b.Run(fmt.Sprintf("nodes=%d/%s", nodes, name), func(b *testing.B) { delays(b, nodes, slow) })
		}
	}
}

func delays(b *testing.B, nodes int, slow bool) {
	const rate = 100_000 // packets a second
	out, in, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	began, cpu := time.Now(), cpuTime()
	end := began.Add(time.Duration(b.N) * time.Millisecond)
	g := gather.New(in, gather.Config{})
	add := func(node string, stream io.ReadCloser) {
		if _, err := g.Add(gather.Source{Node: node, Stream: stream}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range nodes {
		l := newLive(end, time.Duration(nodes)*time.Second/rate)
		switch {
		case slow && i == 0:
			l.lag = 5 * time.Second
			add("slow", l)
		case slow && i == 1:
			add("dead", dead{end})
		default:
			add(fmt.Sprint("node-", i), l)
		}
	}
	g.Close()
	done := make(chan *gather.Result, 1)
	go func() {
		defer in.Close()
		r, err := g.Run(context.Background())
		if err != nil {
			b.Error(err)
		}
		done <- r
	}()
	waits := watch(b, out)
	r := <-done
	report := func(part float64, name string) {
		b.ReportMetric(float64(waits[int(part*float64(len(waits)-1))])/1e6, name)
	}
	slices.Sort(waits)
	report(0.5, "median-ms")
	report(0.99, "p99-ms")
	report(1, "max-ms")
	b.ReportMetric(100*float64(cpuTime()-cpu)/float64(time.Since(began)), "cpu-%")
	b.ReportMetric(float64(r.MostHeld)/(1<<20), "held-MiB")
	b.ReportMetric(float64(r.Late), "late")
	b.ReportMetric(float64(len(waits))/time.Since(began).Seconds(), "packets/s")
}

// watch says of all packets, but those of the slow stream, how long they took
// to come out.
func watch(b *testing.B, out io.Reader) (waits []time.Duration) {
	r, err := capfile.NewReader(out)
	for err == nil {
		var block *capfile.Block
		if block, err = r.Next(); err == nil && block.Packet != nil && nodeOf(block.Packet.Interface.Description) != "slow" {
			waits = append(waits, time.Duration(time.Now().UnixNano()-block.Packet.Time))
		}
	}
	if err != io.EOF {
		b.Error(err)
	}
	return waits
}

// A live stream has packets when their time has come, in blocks of 100 ms as a
// ring retires them.
type live struct {
	rest  []byte
	next  time.Time
	every time.Duration
	lag   time.Duration
	end   time.Time
	n     uint64
	stop  chan struct{}
}

func newLive(end time.Time, every time.Duration) *live {
	return &live{rest: oneLeg("web").b, next: time.Now(), every: every, end: end, stop: make(chan struct{})}
}

func (l *live) Read(b []byte) (int, error) {
	if len(l.rest) == 0 && !l.capture() {
		return 0, io.EOF
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// capture waits for the next block, or ends.
func (l *live) capture() bool {
	const retire = 100 * time.Millisecond
	if l.next.After(l.end) {
		if l.n == 0 {
			return false
		}
		l.rest = pcapwriter.AppendStatistics(l.rest, &pcapwriter.Statistics{Received: l.n, Accepted: l.n, Delivered: l.n})
		l.n = 0
		return true
	}
	upTo := l.next.Add(retire)
	time.Sleep(time.Until(upTo.Add(l.lag)))
	data := make([]byte, 200)
	l.rest = l.rest[:0]
	for ; l.next.Before(upTo); l.next = l.next.Add(l.every) {
		l.rest = pcapwriter.AppendPacket(l.rest, &pcapwriter.Packet{Time: l.next.UnixNano(), Data: data})
		l.n++
	}
	return true
}

func (l *live) Close() error { return nil }

// A dead stream brings nothing until the end.
type dead struct{ end time.Time }

func (d dead) Read([]byte) (int, error) {
	time.Sleep(time.Until(d.end))
	return 0, io.EOF
}

func (dead) Close() error { return nil }

// BenchmarkIdle has streams that bring nothing but their header, and tells what
// memory each of them takes. Only the first operation of a process tells how much
// of it is resident: later ones get what that gave back.
func BenchmarkIdle(b *testing.B) {
	const nodes = 1000
	for range b.N {
		before := resident(b)
		out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		g := gather.New(out, gather.Config{})
		ctx, cancel := context.WithCancel(context.Background())
		for i := range nodes {
			r, w := io.Pipe()
			if _, err := g.Add(gather.Source{Node: fmt.Sprint("node-", i), Stream: r}); err != nil {
				b.Fatal(err)
			}
			if _, err := w.Write(oneLeg("web").b); err != nil {
				b.Fatal(err)
			}
		}
		done := make(chan struct{})
		go func() { _, _ = g.Run(ctx); close(done) }()
		held := g.Result().Held
		b.ReportMetric(float64(resident(b)-before)/nodes/1024, "resident-KiB/stream")
		b.ReportMetric(float64(held)/nodes/1024, "held-KiB/stream")
		cancel()
		<-done
		_ = out.Close()
	}
}

// resident is the memory that the process has, in bytes.
func resident(b *testing.B) (n int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	var size int64
	if _, err := fmt.Sscan(string(text), &size, &n); err != nil {
		b.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}
