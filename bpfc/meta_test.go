package bpfc

import (
	"testing"

	"golang.org/x/net/bpf"
)

// program returns a program of the given instructions.
func program(insns ...bpf.RawInstruction) *Program { return &Program{Insns: insns} }

// keepA returns the value of A.
var keepA = bpf.RawInstruction{Op: classReturn | returnA}

// longPacket has more bytes than the numbers that tests return.
var longPacket = make([]byte, 1<<17)

func TestAncillary(t *testing.T) {
	m := &Meta{
		Protocol: 0x86dd, PacketType: 4, HAType: 772, IfIndex: 9,
		VLANPresent: true, VLANTCI: 0x2064, VLANTPID: 0x8100,
		Mark: 70, Queue: 5, RXHash: 1234, CPU: 3,
	}
	tests := []struct {
		name       string
		off        uint32
		want, none int // with the Meta above, and with an empty one
	}{
		{"protocol", 0, 0x86dd, 0},
		{"packet type", 4, 4, 0},
		{"interface", 8, 9, -1},
		{"attribute", 12, -1, -1},
		{"nested attribute", 16, -1, -1},
		{"mark", 20, 70, 0},
		{"queue", 24, 5, 0},
		{"hardware type", 28, 772, -1},
		{"hash", 32, 1234, 0},
		{"cpu", 36, 3, 0},
		{"tag", 44, 0x2064, 0},
		{"tag present", 48, 1, 0},
		{"payload", 52, -1, -1},
		{"tag protocol", 60, 0x8100, 0},
		{"beyond", 64, -1, -1},
		{"odd", 2, -1, -1},
	}
	for _, tt := range tests {
		for _, op := range []uint16{opLoadByte, opLoadHalf, opLoadWord} {
			// 1 is added to tell 0 from rejection.
			p := program(bpf.RawInstruction{Op: op, K: ancillaryBase + tt.off},
				bpf.RawInstruction{Op: classALU | aluAdd, K: 1}, keepA)
			if got := p.MatchMeta(longPacket, 1, m); got != tt.want+1 {
				t.Errorf("%s: got %d, want %d", tt.name, got-1, tt.want)
			}
			if got := p.MatchMeta(longPacket, 1, &Meta{}); got != tt.none+1 {
				t.Errorf("%s of an empty Meta: got %d, want %d", tt.name, got-1, tt.none)
			}
			if got := p.Match(longPacket, 1); got != 0 {
				t.Errorf("%s without Meta: got %d, want 0", tt.name, got)
			}
		}
	}
}

// TestAncillaryCalculates checks the loads that need no packet.
func TestAncillaryCalculates(t *testing.T) {
	xor := program(
		bpf.RawInstruction{Op: classLoad | modeImmediate, K: 0xff},
		bpf.RawInstruction{Op: opLoadNumberX, K: 0xf0},
		bpf.RawInstruction{Op: opLoadWord, K: ancillaryBase + ancillaryXorX}, keepA)
	if got := xor.Match(longPacket, 1); got != 0x0f {
		t.Errorf("got %#x, want 0xf", got)
	}
	random := program(
		bpf.RawInstruction{Op: opLoadWord, K: ancillaryBase + ancillaryRandom},
		bpf.RawInstruction{Op: opAndK, K: 1}, keepA)
	seen := 0
	for range 200 {
		seen |= 1 << random.Match(longPacket, 1)
	}
	if seen != 3 {
		t.Errorf("always the same: %b", seen)
	}
}

// TestRelativeLoads reads what is relative to a header.
func TestRelativeLoads(t *testing.T) {
	pkt := []byte{10, 11, 12, 13, 14, 15, 16, 17}
	m := &Meta{NetOffset: 4}
	tests := []struct {
		name string
		base uint32
		off  uint32
		m    *Meta
		want int
	}{
		{"network header", networkBase, 0, m, 14},
		{"in the network header", networkBase, 3, m, 17},
		{"behind the packet", networkBase, 4, m, 0},
		{"link header", linkBase, 2, m, 12},
		{"behind the link header", linkBase, 8, m, 0},
		{"neither", 0xffd00000, 0, m, 0},
		{"no Meta", networkBase, 0, nil, 0},
		{"before the packet", networkBase, 0, &Meta{NetOffset: -1}, 0},
	}
	long := append(pkt, make([]byte, 100)...) // longer than any byte
	for _, tt := range tests {
		direct := program(bpf.RawInstruction{Op: opLoadByte, K: tt.base + tt.off}, keepA)
		byX := program(bpf.RawInstruction{Op: opLoadNumberX, K: tt.off},
			bpf.RawInstruction{Op: opLoadByteX, K: tt.base}, keepA)
		for _, p := range []*Program{direct, byX} {
			if got := p.MatchMeta(pkt, 8, tt.m); got != min(tt.want, len(pkt)) {
				t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
			}
			if tt.want > 0 {
				if got := p.MatchMeta(long, 8, tt.m); got != tt.want {
					t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
				}
			}
		}
	}
}

func TestMatchMetaDoesNotAllocate(t *testing.T) {
	p := program(bpf.RawInstruction{Op: opLoadWord, K: ancillaryBase + ancillaryVLANTag}, keepA)
	n := testing.AllocsPerRun(100, func() {
		if p.MatchMeta(longPacket, 1, &Meta{VLANTCI: 7}) != 7 {
			t.Fatal("wrong tag")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
