package capture_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"github.com/vishvananda/netlink"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
	"icap/pcapwriter"
)

// pair is two namespaces with two wires between them; packets go from a to b.
type pair struct {
	a, b  *nsswitch.NS
	ports [2]netip.AddrPort
}

func newPair(t *testing.T) pair {
	t.Helper()
	p := pair{a: labtest.Namespace(t), b: labtest.Namespace(t)}
	for i, net := range []string{"10.8.0.", "10.9.0."} {
		name := string(rune('x' + i))
		labtest.Veth(t, p.a, "a"+name, p.b, "b"+name,
			netip.MustParsePrefix(net+"1/24"), netip.MustParsePrefix(net+"2/24"))
		p.ports[i] = netip.MustParseAddrPort(net + "2:9")
	}
	return p
}

// open makes rings in b on the interfaces named.
func (p pair) open(t *testing.T, c afpacket.Config, names ...string) []*afpacket.Ring {
	t.Helper()
	c.Direction = afpacket.In
	return openIn(t, p.b, c, names...)
}

func openIn(t *testing.T, ns *nsswitch.NS, c afpacket.Config, names ...string) []*afpacket.Ring {
	t.Helper()
	var rings []*afpacket.Ring
	if err := ns.Do(func() error {
		for _, name := range names {
			c.Interface, c.Filter = name, udp
			r, err := afpacket.Open(c)
			if err != nil {
				return err
			}
			rings = append(rings, r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, r := range rings {
			r.Close()
		}
	})
	return rings
}

func (p pair) send(t *testing.T, wire, n, size int) {
	t.Helper()
	if got, err := lab.SendUDP(p.a, p.ports[wire], n, size); got != n || err != nil {
		t.Errorf("sent %d of %d: %v", got, n, err)
	}
}

// recorder is a sink that remembers.
type recorder struct {
	times   []int64
	sources map[int]int
	drops   uint64
	flushes int
	fail    int // after so many packets
}

var errSink = errors.New("sink is full")

func (r *recorder) Packet(p *capture.Packet) error {
	if r.fail > 0 && len(r.times) == r.fail {
		return errSink
	}
	r.times = append(r.times, p.Time)
	if r.sources == nil {
		r.sources = make(map[int]int)
	}
	r.sources[p.Source]++
	r.drops += p.DroppedBefore
	return nil
}

func (r *recorder) Flush() error { r.flushes++; return nil }

func (r *recorder) inOrder(t *testing.T) {
	t.Helper()
	for i := 1; i < len(r.times); i++ {
		if r.times[i] < r.times[i-1] {
			t.Fatalf("packet %d of %d is %d ns older than the one before", i, len(r.times), r.times[i-1]-r.times[i])
		}
	}
}

// run captures while traffic runs, stops, and checks the accounts.
func run(t *testing.T, c capture.Config, traffic func()) (*capture.Result, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Started = func() {
		go func() {
			traffic()
			cancel()
		}()
	}
	result, err := capture.Run(ctx, c)
	for i, s := range result.Sources {
		if s.Written+s.Excluded+s.Dropped+s.Lost() != s.Received {
			t.Errorf("source %d: %+v does not add up", i, s)
		}
	}
	return result, err
}

func TestTwoRingsInTimeOrder(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	rings := p.open(t, afpacket.Config{}, "bx", "by")
	result, err := run(t, capture.Config{Rings: rings, Sink: sink}, func() {
		for i := range 200 {
			p.send(t, i%2, 1+i%17, 100)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	sink.inOrder(t)
	total := result.Total()
	if total.Written != total.Received || result.Late != 0 || sink.sources[0] == 0 || sink.sources[1] == 0 {
		t.Errorf("%+v, %d late, %v", total, result.Late, sink.sources)
	}
	if total.Written != uint64(len(sink.times)) {
		t.Errorf("%d written, sink has %d", total.Written, len(sink.times))
	}
}

// Both ends of a wire, in two namespaces: every packet leaves before it
// arrives.
func TestTwoNamespacesInTimeOrder(t *testing.T) {
	const n = 3000
	p := newPair(t)
	sink := &recorder{}
	rings := append(openIn(t, p.a, afpacket.Config{Direction: afpacket.Out}, "ax"), p.open(t, afpacket.Config{}, "bx")...)
	ahead := 0 // packets that have left and not arrived
	hook := func(c *capture.Packet) bool {
		if c.Source == 0 {
			ahead++
		} else if ahead--; ahead < 0 {
			t.Errorf("packet %d arrived before it left", len(sink.times))
		}
		return true
	}
	result, err := run(t, capture.Config{Rings: rings, Sink: sink, Hook: hook}, func() { p.send(t, 0, n, 300) })
	if err != nil || len(sink.times) != 2*n || ahead != 0 || result.Late != 0 {
		t.Errorf("%d packets, %d still ahead, %d late, %v", len(sink.times), ahead, result.Late, err)
	}
	sink.inOrder(t)
}

// A ring that is silent does not hold the others back for long, and one whose
// packets are still in the open block is waited for.
func TestSilentRingDoesNotDelay(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	const timeout = 2 * time.Second
	rings := p.open(t, afpacket.Config{RetireTimeout: timeout, Ring: afpacket.Geometry{BlockSize: 1 << 19, Blocks: 16}}, "bx", "by")
	var seen int
	var after time.Duration
	arrived := make(chan struct{})
	hook := func(*capture.Packet) bool {
		if seen++; seen == 1 {
			close(arrived)
		}
		return true
	}
	_, err := run(t, capture.Config{Rings: rings, Sink: sink, Hook: hook}, func() {
		begin := time.Now()
		p.send(t, 0, 1000, 1200) // fills a block
		<-arrived
		after = time.Since(begin)
	})
	if err != nil {
		t.Fatal(err)
	}
	if after > timeout/2 {
		t.Errorf("the first packet took %v past a silent ring with a retire timeout of %v", after, timeout)
	}
	sink.inOrder(t)
}

// A packet that waits in the open block of a slow ring holds back several
// times what a busy ring has room for. Neither order nor packets are lost.
func TestSlowRingHoldsBackMoreThanARing(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	ring := afpacket.Geometry{BlockSize: 1 << 19, Blocks: 12}
	rings := p.open(t, afpacket.Config{RetireTimeout: 1500 * time.Millisecond, Ring: ring}, "bx", "by")
	const size = 1200
	n := 4 * ring.Size() / size
	result, err := run(t, capture.Config{Rings: rings, Sink: sink}, func() {
		p.send(t, 1, 1, 64)
		for range n / 100 {
			p.send(t, 0, 100, size)
			time.Sleep(4 * time.Millisecond) // the merge may have to wait for a CPU
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	sink.inOrder(t)
	if total := result.Total(); total.Dropped != 0 || result.Late != 0 || sink.sources[1] != 1 || sink.sources[0] != n/100*100 {
		t.Errorf("%+v, %d late, %v", total, result.Late, sink.sources)
	}
}

func TestBurstThenCancelLosesNothing(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx", "by"), Sink: sink}, func() {
		p.send(t, 0, 2000, 200)
		p.send(t, 1, 2000, 200)
	})
	if err != nil || len(sink.times) != 4000 {
		t.Errorf("%d packets, %v; want 4000 (%+v)", len(sink.times), err, result)
	}
	sink.inOrder(t)
}

func TestCount(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx"), Sink: sink, Count: 7}, func() {
		p.send(t, 0, 100, 64)
		<-t.Context().Done()
	})
	if err != nil || len(sink.times) != 7 || sink.flushes == 0 {
		t.Errorf("%d packets, %d flushes, %v; want 7", len(sink.times), sink.flushes, err)
	}
	if s := result.Sources[0]; s.Lost() != 93 {
		t.Errorf("%d packets beyond the count, want 93: %+v", s.Lost(), s)
	}
}

func TestHookExcludes(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	n := 0
	hook := func(*capture.Packet) bool { n++; return n%4 == 0 }
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx"), Sink: sink, Hook: hook}, func() {
		p.send(t, 0, 100, 64)
	})
	if err != nil || len(sink.times) != 25 || result.Sources[0].Excluded != 75 {
		t.Errorf("%d packets, %v; want 25: %+v", len(sink.times), err, result.Sources[0])
	}
}

// A bookkeeper keeps every other packet, and counts by itself. When it is
// flushed after a nudge, it has had enough.
type bookkeeper struct {
	recorder
	live   *capture.Result
	enough bool
}

func (b *bookkeeper) Accounts(live *capture.Result) { b.live = live }
func (b *bookkeeper) Due() time.Duration            { return 0 }

func (b *bookkeeper) Packet(p *capture.Packet) error {
	s := &b.live.Sources[p.Source]
	if len(b.times)%2 == 0 {
		s.Written++
	} else {
		s.Excluded++
		s.Unneeded++
	}
	return b.recorder.Packet(p)
}

func (b *bookkeeper) Flush() error {
	b.flushes++
	if b.enough && len(b.times) == 100 {
		b.enough = false
		return capture.ErrEnough
	}
	return nil
}

func TestSinkCounts(t *testing.T) {
	p := newPair(t)
	sink, nudge := &bookkeeper{enough: true}, make(chan struct{}, 1)
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx"), Sink: sink, SinkCounts: true, Nudge: nudge}, func() {
		p.send(t, 0, 100, 64)
		nudge <- struct{}{}
	})
	if err != nil || len(sink.times) != 100 {
		t.Errorf("%d packets, %v", len(sink.times), err)
	}
	if s := result.Sources[0]; s.Written != 50 || s.Excluded != 50 || s.Unneeded != 50 || s.Lost() != 0 {
		t.Errorf("%+v", s)
	}
}

func TestSinkErrorEndsTheCapture(t *testing.T) {
	p := newPair(t)
	sink := &recorder{fail: 10}
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx", "by"), Sink: sink}, func() {
		p.send(t, 0, 100, 64)
		p.send(t, 1, 100, 64)
		<-t.Context().Done()
	})
	if !errors.Is(err, errSink) {
		t.Errorf("got %v, want %v", err, errSink)
	}
	if total := result.Total(); total.Written != 10 || total.Lost() != 190 {
		t.Errorf("%+v, %d lost", total, total.Lost())
	}
}

// One interface of two goes: the other is captured on. When the second goes
// too, that is the end.
func TestInterfacesGoOneByOne(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	var faults []error
	rings := p.open(t, afpacket.Config{}, "bx", "by")
	first := make(chan struct{})
	result, err := run(t, capture.Config{Rings: rings, Sink: sink, Fault: func(source int, err error) {
		faults = append(faults, err)
		if source == 0 && errors.Is(err, afpacket.ErrGone) {
			close(first)
		}
	}}, func() {
		p.send(t, 0, 500, 64)
		labtest.WithLink(t, p.a, "ax", netlink.LinkDel)
		<-first
		p.send(t, 1, 500, 64)
		labtest.WithLink(t, p.a, "ay", netlink.LinkDel)
		<-t.Context().Done()
	})
	if !errors.Is(err, afpacket.ErrGone) || len(sink.times) != 1000 {
		t.Errorf("%d packets, %v; want 1000 and %v", len(sink.times), err, afpacket.ErrGone)
	}
	if !result.Sources[0].Gone || !result.Sources[1].Gone {
		t.Errorf("faults %v, %+v", faults, result.Sources)
	}
}

// What the kernel drops while the sink is slow is told at the gap.
func TestDropsAreToldAtTheGap(t *testing.T) {
	p := newPair(t)
	sink := &recorder{}
	hook := func(c *capture.Packet) bool { time.Sleep(10 * time.Microsecond); return true }
	rings := p.open(t, afpacket.Config{Snaplen: 2000, Ring: afpacket.Geometry{BlockSize: 1 << 14, Blocks: 2}}, "bx")
	result, err := run(t, capture.Config{Rings: rings, Sink: sink, Hook: hook}, func() {
		p.send(t, 0, 5000, 1000)
		time.Sleep(300 * time.Millisecond)
		p.send(t, 0, 5, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	s := result.Sources[0]
	if s.Dropped == 0 || sink.drops != s.Dropped {
		t.Errorf("dropped %d, told in packets %d", s.Dropped, sink.drops)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := newPair(t)
	file := filepath.Join(t.TempDir(), "out.pcapng")
	f, err := pcapwriter.Create(file, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sink, err := capture.NewFile(f, header("bx", "by"), []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	const warm, n = 2000, 40000
	var before, after runtime.MemStats
	packets := 0
	hook := func(c *capture.Packet) bool {
		c.Interface = c.Source
		switch packets++; packets {
		case warm:
			runtime.ReadMemStats(&before)
		case warm + n:
			runtime.ReadMemStats(&after)
		}
		return true
	}
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx", "by"), Sink: sink, Hook: hook}, func() {
		p.send(t, 0, warm, 64)
		for i := range 8 {
			p.send(t, i%2, n/8, 64)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(result); err != nil {
		t.Fatal(err)
	}
	// The senders and the merge's first blocks allocate a little; a packet
	// must not.
	if allocs := after.Mallocs - before.Mallocs; packets < warm+n || allocs > n/100 {
		t.Errorf("%d allocations for %d of %d packets", allocs, n, packets)
	}
}

func TestFileProvesItsCompleteness(t *testing.T) {
	p := newPair(t)
	path := filepath.Join(t.TempDir(), "out.pcapng")
	f, err := pcapwriter.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := capture.NewFile(f, header("bx-odd", "bx-even", "by"), []int{0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	hook := func(c *capture.Packet) bool {
		n++
		c.Interface = n % 2
		if c.Source == 1 {
			c.Interface = 2
		}
		return true
	}
	result, err := run(t, capture.Config{Rings: p.open(t, afpacket.Config{}, "bx", "by"), Sink: sink, Hook: hook}, func() {
		p.send(t, 0, 100, 64)
		p.send(t, 1, 31, 64)
	})
	if err := errors.Join(err, sink.Close(result), f.Close()); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[int]uint64)
	for {
		_, ci, err := r.ReadPacketData()
		if err != nil {
			break
		}
		counts[ci.InterfaceIndex]++
	}
	if counts[0]+counts[1] != 100 || counts[2] != 31 {
		t.Errorf("packets by interface: %v", counts)
	}
	for i, received := range []uint64{100, 100, 31} {
		ifi, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		if s := ifi.Statistics; s.PacketsReceived != received || s.PacketsDropped != 0 || sink.Written(i) != counts[i] {
			t.Errorf("interface %d: %+v, written %d", i, s, sink.Written(i))
		}
	}
}
