package bpfc

import (
	"strings"
	"testing"
)

// TestExtensionFactor checks for all numbers which ones others can follow.
func TestExtensionFactor(t *testing.T) {
	h := headers{v6: true}
	for n := range uint32(256) {
		if got, want := n*extensionFactor&extensionBits == 0, h.isExtension(n); got != want {
			t.Errorf("%d: got %v, want %v", n, got, want)
		}
	}
}

// TestChains follows chains of headers as far as programs go.
func TestChains(t *testing.T) {
	tests := []struct {
		expr  string
		chain []byte
		want  bool
	}{
		{"ip6 protochain 6", []byte{0, 60, 43, 44, 6}, true},
		{"ip6 protochain 6", []byte{0, 60, 43, 44, 17}, false},
		{"ip6 protochain 6", []byte{44, 6}, true},
		{"ip6 protochain 6", []byte{59, 6}, false},
		{"ip6 protochain 6", []byte{17, 6}, false},
		{"ip6 protochain 17", []byte{0, 51, 17}, true},
		{"ip6 protochain 44", []byte{0, 60, 43, 44, 6}, true},
		{"ip6 protochain 0", []byte{0, 6}, true},
		{"ip6 protochain 60", []byte{43, 6}, false},
		{"not ip6 protochain 6", []byte{0, 60, 43, 44, 60, 6}, false},
		{"not ip6 protochain 6", []byte{0, 60, 43, 44, 17}, true},
		{"ip protochain 6", []byte{51, 6}, true},
		{"ip protochain 51", []byte{51, 6}, true},
		{"ip protochain 6", []byte{0, 6}, false},
		{"protochain 6", []byte{0, 6}, false},
	}
	for _, tt := range tests {
		var b []byte
		for _, next := range tt.chain[1:] {
			b = append(b, append([]byte{next, 1}, make([]byte, 14)...)...)
		}
		b = append(b, make([]byte, 80)...)
		pkt := ip6{next: tt.chain[0], src: a6, dst: b6}.packet(b)
		if !strings.Contains(tt.expr, "ip6") {
			pkt = ip4{proto: tt.chain[0], src: a4, dst: b4}.packet(b)
		}
		p, err := CompileOptions(tt.expr, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(pkt, len(pkt)) > 0; got != tt.want {
			t.Errorf("%s on %v: got %v, want %v\n%s", tt.expr, tt.chain, got, tt.want, p.Dump())
		}
	}
}
