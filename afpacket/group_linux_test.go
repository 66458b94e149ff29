package afpacket_test

import (
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"testing"

	"icap/afpacket"
	"icap/internal/lab/labtest"
)

// openGroup opens and starts n rings that share what comes to vb.
func (w wire) openGroup(t *testing.T, s afpacket.Spread, n int) []*afpacket.Ring {
	t.Helper()
	group := &afpacket.Group{Spread: s}
	rings := make([]*afpacket.Ring, n)
	for i := range rings {
		rings[i] = w.open(t, afpacket.Config{Group: group})
	}
	for _, r := range rings {
		start(t, r)
	}
	return rings
}

// finish stops rings and returns how many packets to each port each of them
// got.
func finish(t *testing.T, rings []*afpacket.Ring) []map[uint16]int {
	t.Helper()
	for _, r := range rings {
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	ports := make([]map[uint16]int, len(rings))
	for i, r := range rings {
		ports[i] = make(map[uint16]int)
		for {
			b, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			var p afpacket.Packet
			for at := b.First(); at != 0; at = b.Next(at) {
				b.Read(at, &p)
				ports[i][binary.BigEndian.Uint16(p.Data[36:])]++
			}
			b.Release()
		}
	}
	return ports
}

// TestGroupSharesEveryPacketOnce sends many flows to two groups at a time.
func TestGroupSharesEveryPacketOnce(t *testing.T) {
	const flows, each = 40, 25
	for _, s := range []afpacket.Spread{
		afpacket.ByHash, afpacket.ByTurn, afpacket.ByCPU, afpacket.Rollover, afpacket.ByQueue,
	} {
		t.Run(s.String(), func(t *testing.T) {
			w := newWire(t)
			groups := [][]*afpacket.Ring{w.openGroup(t, s, 3), w.openGroup(t, s, 2)}
			for i := range uint16(flows) {
				send(t, w.a, netip.AddrPortFrom(to.Addr(), to.Port()+i), each, 100)
			}
			for _, rings := range groups {
				total := make(map[uint16]int)
				for _, ports := range finish(t, rings) {
					for port, n := range ports {
						total[port] += n
						if s == afpacket.ByHash && n != each {
							t.Errorf("a ring has %d packets of a flow, not all %d", n, each)
						}
						if s == afpacket.ByTurn && n == each {
							t.Errorf("all %d packets of a flow came to one ring", n)
						}
					}
				}
				for port, n := range total {
					if n != each {
						t.Errorf("port %d: %d packets, want %d", port, n, each)
					}
				}
				if len(total) != flows {
					t.Errorf("%d flows, want %d", len(total), flows)
				}
			}
		})
	}
}

func TestGroupOnLoopbackDeliversOnce(t *testing.T) {
	ns := labtest.Namespace(t)
	group := new(afpacket.Group)
	c := afpacket.Config{Interface: "lo", Filter: onlyUDP, Group: group}
	rings := []*afpacket.Ring{openIn(t, ns, c), openIn(t, ns, c)}
	for _, r := range rings {
		start(t, r)
	}
	send(t, ns, netip.MustParseAddrPort("127.0.0.1:9"), 10, 64)
	n := 0
	for _, ports := range finish(t, rings) {
		for _, count := range ports {
			n += count
		}
	}
	if n != 10 {
		t.Errorf("%d packets, want 10", n)
	}
}

// TestGroupOfManyInterfaces is refused by the kernel.
func TestGroupOfManyInterfaces(t *testing.T) {
	w := newWire(t)
	group := new(afpacket.Group)
	start(t, w.open(t, afpacket.Config{Group: group}))
	if err := w.open(t, afpacket.Config{Group: group, Interface: "lo"}).Start(); err == nil {
		t.Error("a ring on another interface joined")
	}
}

func TestParseSpread(t *testing.T) {
	for _, name := range []string{"hash", "lb", "cpu", "rollover", "qm"} {
		if s, err := afpacket.ParseSpread(name); err != nil || s.String() != name {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if _, err := afpacket.ParseSpread("rnd"); err == nil {
		t.Error("rnd is known")
	}
}

// TestLeave: when a ring leaves, the others get all that comes later, and all
// that came before is counted.
func TestLeave(t *testing.T) {
	const flows = 40
	for _, s := range []afpacket.Spread{afpacket.ByHash, afpacket.ByTurn, afpacket.ByCPU} {
		t.Run(s.String(), func(t *testing.T) {
			w := newWire(t)
			rings := w.openGroup(t, s, 3)
			burst := func() {
				for i := range uint16(flows) {
					send(t, w.a, netip.AddrPortFrom(to.Addr(), to.Port()+i), 3, 100)
				}
			}
			burst()
			stats, err := rings[1].Leave()
			if err != nil {
				t.Fatal(err)
			}
			burst()
			got := 0
			for _, ports := range finish(t, []*afpacket.Ring{rings[0], rings[2]}) {
				for _, n := range ports {
					got += n
				}
			}
			if total := got + int(stats.Received); total != 2*3*flows || got < 3*flows || stats.Delivered != 0 {
				t.Errorf("%d packets and %+v, want %d", got, stats, 2*3*flows)
			}
		})
	}
}

// TestLeaveUnderLoad: not a packet is missing in the counts, though some come
// while a ring leaves.
func TestLeaveUnderLoad(t *testing.T) {
	const n = 30000
	for range 5 {
		w := newWire(t)
		group := &afpacket.Group{Spread: afpacket.ByTurn}
		roomy := afpacket.Geometry{BlockSize: 1 << 18, Blocks: 64}
		rings := []*afpacket.Ring{w.open(t, afpacket.Config{Group: group, Ring: roomy}), w.open(t, afpacket.Config{Group: group, Ring: roomy})}
		for _, r := range rings {
			start(t, r)
		}
		var sending sync.WaitGroup
		sending.Go(func() { send(t, w.a, to, n, 100) })
		for range 5 {
			b, err := rings[1].Next()
			if err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
		stats, err := rings[1].Leave()
		if err != nil {
			t.Fatal(err)
		}
		sending.Wait()
		got := 0
		for _, n := range finish(t, rings[:1])[0] {
			got += n
		}
		if got+int(stats.Received) != n {
			t.Errorf("%d packets and %+v, want %d", got, stats, n)
		}
	}
}
