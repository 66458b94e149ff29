package bpfc

import (
	"testing"

	"golang.org/x/net/bpf"
)

func TestMatchDoesNotAllocate(t *testing.T) {
	p, err := CompileOptions("host 10.0.0.1 and tcp port 80 or 443", Ethernet, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pkt := tcp4(a4, b4, 40000, 443)
	n := testing.AllocsPerRun(100, func() {
		if p.Match(pkt, len(pkt)) == 0 {
			t.Fatal("does not match")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMatchKeeps checks the number of bytes to keep, and that lengths are
// those on the wire.
func TestMatchKeeps(t *testing.T) {
	pkt := tcp4(a4, b4, 1, 2)
	tests := []struct {
		expr             string
		snaplen, wireLen int
		want             int
	}{
		{"tcp", 0, len(pkt), len(pkt)},
		{"tcp", 20, len(pkt), 20},
		{"udp", 20, len(pkt), 0},
		{"less 100", 0, 1500, 0},
		{"greater 1000", 0, 1500, len(pkt)},
	}
	for _, tt := range tests {
		p, err := CompileOptions(tt.expr, Ethernet, Options{Snaplen: tt.snaplen})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(pkt, tt.wireLen); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.expr, got, tt.want)
		}
	}
}

// TestMatchOfBadPrograms runs what validate refuses: nothing panics, and the
// packet is rejected.
func TestMatchOfBadPrograms(t *testing.T) {
	tests := map[string][]bpf.RawInstruction{
		"empty":               {},
		"falls off the end":   {{Op: opLoadByte}},
		"jumps off the end":   {{Op: opJump, K: 5}, {Op: opReturnK, K: 1}},
		"jumps around":        {{Op: opJump, K: 0xffffffff}, {Op: opReturnK, K: 1}},
		"branches off":        {{Op: classJump | jumpEqual, Jt: 9, Jf: 9}, {Op: opReturnK, K: 1}},
		"unknown jump":        {{Op: classJump | 0x50}, {Op: opReturnK, K: 1}},
		"unknown calculation": {{Op: classALU | 0xb0}, {Op: opReturnK, K: 1}},
		"unknown size":        {{Op: opLoadWord | sizeMask}, {Op: opReturnK, K: 1}},
		"unknown load":        {{Op: classLoad | 0xc0}, {Op: opReturnK, K: 1}},
		"unknown load of x":   {{Op: classLoadX | modeAbsolute}, {Op: opReturnK, K: 1}},
		"divides by zero":     {{Op: classALU | aluDiv}, {Op: opReturnK, K: 1}},
		"no such memory":      {{Op: classStore, K: 16}, {Op: opReturnK}},
		"shifts too far":      {{Op: classALU | aluLsh, K: 32}, {Op: opReturnK}},
		"reads unwritten":     {{Op: classLoad | modeMemory}, {Op: opReturnK}},
	}
	for name, insns := range tests {
		p := &Program{Insns: insns}
		if got := p.Match([]byte{1, 2, 3, 4, 5}, 5); got != 0 {
			t.Errorf("%s: got %d, want 0", name, got)
		}
		if err := validate(insns); err == nil {
			t.Errorf("%s: is valid", name)
		}
		p.Dump()
	}
}

func BenchmarkMatch(b *testing.B) {
	pkt := tcp4(a4, b4, 40000, 443)
	for _, expr := range []string{"tcp", "tcp port 443", "host 10.0.0.1 and tcp port 80 or 443"} {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(pkt, len(pkt))
			}
		})
	}
}
