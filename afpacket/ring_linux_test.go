package afpacket_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

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
