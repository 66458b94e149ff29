package afpacket_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

var (
	addrA = netip.MustParsePrefix("10.9.0.1/24")
	addrB = netip.MustParsePrefix("10.9.0.2/24")
	to    = netip.AddrPortFrom(addrB.Addr(), 9)
)

// onlyUDP accepts whole IPv4 UDP frames.
var onlyUDP = assemble(
	bpf.LoadAbsolute{Off: 12, Size: 2},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x0800, SkipFalse: 3},
	bpf.LoadAbsolute{Off: 23, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: 17, SkipFalse: 1},
	bpf.RetConstant{Val: afpacket.MaxSnaplen},
	bpf.RetConstant{Val: 0},
)

func assemble(insns ...bpf.Instruction) []bpf.RawInstruction {
	raw, err := bpf.Assemble(insns)
	if err != nil {
		panic(err)
	}
	return raw
}

// wire is two namespaces joined by a veth pair; packets are sent in a and
// captured in b.
type wire struct{ a, b *nsswitch.NS }

func newWire(t *testing.T) wire {
	t.Helper()
	w := wire{labtest.Namespace(t), labtest.Namespace(t)}
	labtest.Veth(t, w.a, "va", w.b, "vb", addrA, addrB)
	return w
}

// open makes a ring in b, or in the namespace given.
func (w wire) open(t *testing.T, c afpacket.Config) *afpacket.Ring {
	t.Helper()
	if c.Interface == "" {
		c.Interface = "vb"
	}
	if c.Filter == nil {
		c.Filter = onlyUDP
	}
	return openIn(t, w.b, c)
}

func openIn(t *testing.T, ns *nsswitch.NS, c afpacket.Config) *afpacket.Ring {
	t.Helper()
	var ring *afpacket.Ring
	if err := ns.Do(func() (err error) {
		ring, err = afpacket.Open(c)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ring.Close() })
	return ring
}

func start(t *testing.T, r *afpacket.Ring) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, ns *nsswitch.NS, to netip.AddrPort, n, size int) {
	t.Helper()
	if got, err := lab.SendUDP(ns, to, n, size); err != nil || got != n {
		t.Fatalf("sent %d of %d: %v", got, n, err)
	}
}

// drain reads to the end and returns how many packets came, by type.
func drain(t *testing.T, r *afpacket.Ring) (count map[afpacket.PacketType]int, end error) {
	t.Helper()
	count = make(map[afpacket.PacketType]int)
	for {
		b, err := r.Next()
		if errors.Is(err, afpacket.ErrDown) {
			continue
		}
		if err != nil {
			return count, err
		}
		var p afpacket.Packet
		n := 0
		for at := b.First(); at != 0; at = b.Next(at) {
			b.Read(at, &p)
			count[p.Type]++
			n++
		}
		if n != b.Len() {
			t.Errorf("walked %d of %d packets", n, b.Len())
		}
		b.Release()
	}
}

func sum(count map[afpacket.PacketType]int) (n int) {
	for _, c := range count {
		n += c
	}
	return n
}

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

func TestLoopbackDeliversOnce(t *testing.T) {
	ns := labtest.Namespace(t)
	for _, tt := range []struct {
		direction afpacket.Direction
		want      afpacket.PacketType
	}{{afpacket.InOut, afpacket.ToHost}, {afpacket.In, afpacket.ToHost}, {afpacket.Out, afpacket.FromHost}} {
		r := openIn(t, ns, afpacket.Config{Interface: "lo", Filter: onlyUDP, Direction: tt.direction})
		start(t, r)
		send(t, ns, netip.MustParseAddrPort("127.0.0.1:9"), 10, 64)
		_ = r.Stop()
		if count, _ := drain(t, r); count[tt.want] != 10 || sum(count) != 10 {
			t.Errorf("direction %d: %v, want 10 of type %d", tt.direction, count, tt.want)
		}
	}
}

func TestDirection(t *testing.T) {
	w := newWire(t)
	back := netip.AddrPortFrom(addrA.Addr(), 9)
	for _, tt := range []struct {
		direction afpacket.Direction
		in, out   int
	}{{afpacket.InOut, 10, 20}, {afpacket.In, 10, 0}, {afpacket.Out, 0, 20}} {
		r := w.open(t, afpacket.Config{Direction: tt.direction})
		start(t, r)
		send(t, w.a, to, 10, 64)
		send(t, w.b, back, 20, 64)
		_ = r.Stop()
		count, _ := drain(t, r)
		if count[afpacket.ToHost] != tt.in || count[afpacket.FromHost] != tt.out {
			t.Errorf("direction %d: %v, want %d in and %d out", tt.direction, count, tt.in, tt.out)
		}
	}
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

func TestContentsAndSnaplen(t *testing.T) {
	const size = 300
	w := newWire(t)
	r := w.open(t, afpacket.Config{Filter: append(onlyUDP[:4:4],
		bpf.RawInstruction{Op: 6, K: 64}, bpf.RawInstruction{Op: 6})})
	start(t, r)
	before := time.Now()
	send(t, w.a, to, 1, size)
	after := time.Now()
	_ = r.Stop()
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var p afpacket.Packet
	b.Read(b.First(), &p)
	const headers = 14 + 20 + 8
	if len(p.Data) != 64 || p.Len != headers+size {
		t.Errorf("captured %d of %d bytes, want 64 of %d", len(p.Data), p.Len, headers+size)
	}
	if got := binary.BigEndian.Uint16(p.Data[36:]); got != to.Port() {
		t.Errorf("destination port %d", got)
	}
	if at := p.Timestamp(); at.Before(before) || at.After(after) {
		t.Errorf("time %v is not between %v and %v", at, before, after)
	}
	b.Release()
}

// A ring that is too slow loses packets, and the count of the lost is exact.
func TestDropsAreCounted(t *testing.T) {
	const n = 5000
	w := newWire(t)
	r := w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 1 << 12, Blocks: 2}, Snaplen: 2000,
		Filter: append(onlyUDP[:4:4], bpf.RawInstruction{Op: 6, K: 2000}, bpf.RawInstruction{Op: 6})})
	start(t, r)
	send(t, w.a, to, n, 1000)
	_ = r.Stop()
	count, end := drain(t, r)
	s, err := r.Stats()
	if err != nil || end != io.EOF {
		t.Fatal(err, end)
	}
	if s.Dropped == 0 || s.Received != n || s.Delivered+s.Dropped != n || uint64(sum(count)) != s.Delivered {
		t.Errorf("%+v with %v delivered of %d", s, count, n)
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

func TestReadAllocatesNothing(t *testing.T) {
	const rounds = 20
	w := newWire(t)
	r := w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 1 << 19, Blocks: 2 * rounds}, RetireTimeout: time.Millisecond})
	start(t, r)
	for range rounds + 1 { // AllocsPerRun warms up once
		send(t, w.a, to, 100, 64)
		for !r.Idle() && r.Wait() != nil {
			t.Fatal("no block")
		}
		time.Sleep(5 * time.Millisecond)
	}
	var p afpacket.Packet
	packets := 0
	allocs := testing.AllocsPerRun(rounds, func() {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		for at := b.First(); at != 0; at = b.Next(at) {
			b.Read(at, &p)
			packets++
		}
		b.Release()
	})
	if allocs != 0 || packets < rounds {
		t.Errorf("%v allocations a block, %d packets in all", allocs, packets)
	}
}

// A ring for which the address space has no room is made smaller.
func TestFallsBackToSmallerRing(t *testing.T) {
	labtest.Need(t)
	if os.Getenv("ICAP_TEST_SMALL_RING") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestFallsBackToSmallerRing$", "-test.v")
		cmd.Env = append(os.Environ(), "ICAP_TEST_SMALL_RING=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	limit := unix.Rlimit{Cur: addressSpace(t) + 200<<20, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	wanted := afpacket.Geometry{BlockSize: 1 << 20, Blocks: 512}
	r, err := afpacket.Open(afpacket.Config{Interface: "lo", Ring: wanted})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := r.Geometry(); got.Size() >= 200<<20 || got.Size() < 32<<20 {
		t.Errorf("got %v with 200 MiB left", got)
	}
}

func addressSpace(t *testing.T) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	for _, c := range strings.Fields(string(b))[0] {
		pages = pages*10 + uint64(c-'0')
	}
	return pages * uint64(os.Getpagesize())
}

func TestOpenRefusals(t *testing.T) {
	ns := labtest.Namespace(t)
	for _, tt := range []struct {
		name   string
		config afpacket.Config
		want   string
	}{
		{"no such interface", afpacket.Config{Interface: "nope0"}, "no such network interface"},
		{"bad snaplen", afpacket.Config{Interface: "lo", Snaplen: 1 << 20}, "snaplen 1048576"},
		{"bad timeout", afpacket.Config{Interface: "lo", RetireTimeout: time.Microsecond}, "1 ms"},
		{"bad filter", afpacket.Config{Interface: "lo", Filter: []bpf.RawInstruction{{Op: 0xffff}}}, "invalid argument"},
	} {
		err := ns.Do(func() error {
			r, err := afpacket.Open(tt.config)
			if err == nil {
				r.Close()
			}
			return err
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestFilterTooLong(t *testing.T) {
	ns := labtest.Namespace(t)
	for _, tt := range []struct {
		length    int
		direction afpacket.Direction
		want      error
	}{
		{4096, afpacket.In, unix.ENOMEM},
		{4097, afpacket.In, afpacket.ErrFilterTooLong},
		{4096, afpacket.Out, afpacket.ErrFilterTooLong}, // it grows
		{1<<16 + 4, afpacket.In, afpacket.ErrFilterTooLong},
	} {
		long := make([]bpf.RawInstruction, tt.length)
		for i := range long {
			long[i] = bpf.RawInstruction{Op: 0x28, K: 12} // ldh [12]
		}
		long[len(long)-1] = bpf.RawInstruction{Op: 6}
		err := ns.Do(func() error {
			r, err := afpacket.Open(afpacket.Config{Interface: "lo", Filter: long, Direction: tt.direction})
			if err == nil {
				r.Close()
			}
			return err
		})
		if !errors.Is(err, afpacket.ErrFilterTooLong) || !errors.Is(err, tt.want) {
			t.Errorf("%d instructions: got %v, want %v", tt.length, err, tt.want)
		}
	}
}

// TestMissingCapability opens a ring as a user without CAP_NET_RAW.
func TestMissingCapability(t *testing.T) {
	labtest.Need(t)
	if os.Getenv("ICAP_TEST_NO_CAP") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMissingCapability$", "-test.v")
		cmd.Env = append(os.Environ(), "ICAP_TEST_NO_CAP=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for _, set := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setuid(65534) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := afpacket.Open(afpacket.Config{Interface: "lo"})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("got %v, want a refusal that names CAP_NET_RAW", err)
	}
}

// The kernel takes the tag out of a frame; it travels beside it.
func TestVLANTag(t *testing.T) {
	w := newWire(t)
	r := w.open(t, afpacket.Config{Filter: onlyUDP})
	start(t, r)
	frame := make([]byte, 64)
	copy(frame, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0x60, 0x05, 0x08, 0x00, 0x45})
	frame[14+4+9] = unix.IPPROTO_UDP
	sendFrame(t, w.a, "va", frame)
	_ = r.Stop()
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var p afpacket.Packet
	b.Read(b.First(), &p)
	if want := (afpacket.VLAN{TCI: 0x6005, TPID: 0x88a8, Present: true}); p.VLAN != want || p.Len != len(frame)-4 {
		t.Errorf("got %+v and %d bytes, want %+v and %d", p.VLAN, p.Len, want, len(frame)-4)
	}
}

// sendFrame puts a whole Ethernet frame on the wire.
func sendFrame(t *testing.T, ns *nsswitch.NS, name string, frame []byte) {
	t.Helper()
	if err := ns.Do(func() error {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: ifi.Index})
	}); err != nil {
		t.Fatal(err)
	}
}

// A ring for direct writing leaves the first page of a block alone, aligns the
// data, and holds the largest packet all the same. Other rings are as before.
func TestDirectLayout(t *testing.T) {
	w := newWire(t)
	for _, direct := range []bool{true, false} {
		r := w.open(t, afpacket.Config{Direct: direct, Ring: afpacket.Geometry{BlockSize: 4096, Blocks: 2}})
		start(t, r)
		send(t, w.a, to, 5, 201)
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		first, mac := 48, 82
		if direct {
			first, mac = afpacket.DirectStart, 84
		}
		if got := int(b.First()); got != first {
			t.Errorf("direct %v: first packet at %d, want %d", direct, got, first)
		}
		var p afpacket.Packet
		n, end := 0, 0
		for at := b.First(); at != 0; at = b.Next(at) {
			b.Read(at, &p)
			from := b.DataOffset(at)
			if from != int(at)+mac || &b.Memory()[from] != &p.Data[0] {
				t.Errorf("direct %v: data of the packet at %d is at %d", direct, at, from)
			}
			n, end = n+1, (from+len(p.Data)+7)&^7
		}
		if n != b.Len() || end != b.Used() {
			t.Errorf("direct %v: %d of %d packets end at %d, used are %d", direct, n, b.Len(), end, b.Used())
		}
		least := afpacket.MaxSnaplen // with headers
		if direct {
			least += first
		}
		if size := r.Geometry().BlockSize; size != len(b.Memory()) || size < least {
			t.Errorf("direct %v: block of %d bytes", direct, size)
		}
		b.Release()
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
