package bpfc

import (
	"math/rand/v2"
	"testing"
)

// An asLive is a frame as a packet socket delivers it: without its outermost
// VLAN tag, which is beside it.
type asLive struct {
	pkt       []byte
	ancillary map[uint32]uint32
}

// stripped takes the tag off a frame.
func stripped(frame []byte) asLive {
	typ := uint16(frame[12])<<8 | uint16(frame[13])
	l := asLive{pkt: frame, ancillary: map[uint32]uint32{ancillaryProtocol: uint32(typ)}}
	switch typ {
	case etherVLAN, etherQinQ, etherOldQinQ:
		l.ancillary[ancillaryVLANPresent] = 1
		l.ancillary[ancillaryVLANTag] = uint32(frame[14])<<8 | uint32(frame[15])
		l.pkt = append(append([]byte{}, frame[:12]...), frame[16:]...)
	}
	return l
}

// TestLiveTags checks that text behind "vlan" has for live frames, whose tag
// the kernel has taken off or not, the verdict that it has for the frames in a
// file.
func TestLiveTags(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	s := linguist{sentencer{r}, Ethernet}
	whole, _ := packetsOf(Ethernet, r)
	exprs := []string{
		"vlan", "vlan 5", "vlan 100 and ip", "not vlan", "vlan and vlan", "vlan and vlan 5 and tcp port 80",
		"vlan or vlan 5", "vlan 5 and host 10.0.0.1", "vlan and mpls and ip", "vlan and pppoes 7 and tcp",
		"vlan and udp and geneve and tcp", "ether host 02:00:00:00:00:0a and vlan and ip6", "vlan and (arp or ip[9] = 6)",
	}
	for range amount(60) {
		exprs = append(exprs, s.pick("vlan", "vlan 5", "ether multicast and vlan")+" and ("+s.sentence(1)+")")
	}
	for _, expr := range exprs {
		file, err := CompileOptions(expr, Ethernet, asTcpdump)
		if err != nil {
			continue
		}
		o := asTcpdump
		o.Live = true
		live, err := CompileOptions(expr, Ethernet, o)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		for _, frame := range whole {
			want := userland(file, frame) > 0
			if got := userlandWith(live, frame, map[uint32]uint32{}) > 0; got != want {
				t.Fatalf("%q on %x: in band: got %v, want %v\n%s", expr, frame, got, want, live.Dump())
			}
			beside := stripped(frame)
			if looksAtLink(expr) || beside.ancillary[ancillaryVLANPresent] == 0 {
				continue // "ether[14]" and the length differ
			}
			if got := userlandWith(live, beside.pkt, beside.ancillary) > 0; got != want {
				t.Fatalf("%q on %x: beside: got %v, want %v\n%s", expr, frame, got, want, live.Dump())
			}
			m := &Meta{VLANPresent: true, VLANTCI: uint16(beside.ancillary[ancillaryVLANTag])}
			if got := live.MatchMeta(beside.pkt, len(beside.pkt), m) > 0; got != want {
				t.Fatalf("%q on %x: MatchMeta: got %v, want %v\n%s", expr, frame, got, want, live.Dump())
			}
		}
	}
}

// TestCooked checks that packets of a cooked socket, without the header that a
// file has, have the verdict that they have with it.
func TestCooked(t *testing.T) {
	for i, lt := range []LinkType{LinuxSLL, LinuxSLL2} {
		r := rand.New(rand.NewPCG(53, uint64(i)))
		s := linguist{sentencer{r}, lt}
		frames, _ := corpus(r)
		header := map[LinkType]int{LinuxSLL: 16, LinuxSLL2: 20}[lt]
		for range amount(80) {
			expr := s.sentence(2)
			file, err := CompileOptions(expr, lt, asTcpdump)
			if err != nil || looksAtLink(expr) {
				continue
			}
			o := asTcpdump
			o.Live = true
			live, err := CompileOptions(expr, lt, o)
			if err != nil {
				t.Fatalf("%v %q: %v", lt, expr, err)
			}
			for _, f := range append(frames, rareFrames(r)[:60]...) {
				pkt := frameAs(lt, r, append(f[:len(f):len(f)], make([]byte, 300)...))
				if len(pkt) < header {
					continue
				}
				beside := map[uint32]uint32{ancillaryPacketType: uint32(pkt[1]), ancillaryProtocol: uint32(pkt[14])<<8 | uint32(pkt[15])}
				if lt == LinuxSLL2 {
					beside = map[uint32]uint32{
						ancillaryProtocol: uint32(pkt[0])<<8 | uint32(pkt[1]),
						ancillaryIfIndex:  uint32(pkt[7]), ancillaryPacketType: uint32(pkt[10]),
					}
				}
				want := userland(file, pkt) > 0
				if got := userlandWith(live, pkt[header:], beside) > 0; got != want {
					t.Fatalf("%v %q on %x: got %v, want %v\n%s", lt, expr, pkt, got, want, live.Dump())
				}
				m := &Meta{
					Protocol:   uint16(beside[ancillaryProtocol]),
					PacketType: uint8(beside[ancillaryPacketType]),
					IfIndex:    beside[ancillaryIfIndex],
				}
				if got := live.MatchMeta(pkt[header:], len(pkt)-header, m) > 0; got != want {
					t.Fatalf("%v %q on %x: MatchMeta: got %v, want %v\n%s", lt, expr, pkt, got, want, live.Dump())
				}
			}
		}
	}
}

// looksAtLink reports whether an expression asks for the length or for bytes
// by their number in the frame.
func looksAtLink(expr string) bool {
	e, err := Parse(expr)
	if err != nil {
		return true
	}
	return mentions(e)
}

func mentions(e Expr) bool {
	switch e := e.(type) {
	case *chain:
		for _, t := range e.terms {
			if mentions(t) {
				return true
			}
		}
	case *negation:
		return mentions(e.x)
	case *group:
		return mentions(e.x)
	case *relationExpr:
		return mentionsIn(e.a) || mentionsIn(e.b)
	case *length, *byteTest:
		return true
	}
	return false
}

func mentionsIn(e arith) bool {
	switch e := e.(type) {
	case *lengthOf:
		return true
	case *packetData:
		return e.proto == "ether" || mentionsIn(e.at)
	case *parenthesis:
		return mentionsIn(e.x)
	case *minus:
		return mentionsIn(e.x)
	case *binaryExpr:
		return mentionsIn(e.a) || mentionsIn(e.b)
	}
	return false
}

// TestLivePrograms lists what is asked of the kernel.
func TestLivePrograms(t *testing.T) {
	tests := []struct {
		expr string
		lt   LinkType
		want string
	}{
		{"inbound", Ethernet, "(000) ldh      [-4092]\n"},
		{"ifindex 3", Raw, "(000) ld       [-4088]\n"},
		{"ip", LinuxSLL, "(000) ldh      [-4096]\n"},
		{"ifindex 3", LinuxSLL2, "(000) ld       [-4088]\n"},
		{"outbound", LinuxSLL2, "(000) ldb      [-4092]\n"},
		{"link[8:2] = 1", LinuxSLL2, "(000) ldh      [-4068]\n"},
	}
	for _, tt := range tests {
		p, err := CompileOptions(tt.expr, tt.lt, Options{Live: true})
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		if first := (&Program{Insns: p.Insns[:1]}).Dump(); first != tt.want {
			t.Errorf("%q: got %q, want %q", tt.expr, first, tt.want)
		}
	}
	for _, expr := range []string{"link[6:4] = 1", "byte 0 = 1", "ether[len] = 1"} {
		if _, err := CompileOptions(expr, LinuxSLL, Options{Live: true}); err == nil {
			t.Errorf("%q compiles for a socket that has no header", expr)
		}
	}
}
