package bpfc

import "testing"

// TestSeemEqual compares programs of which few packets tell the difference.
func TestSeemEqual(t *testing.T) {
	src, dst := field(26, 4), field(30, 4)
	g := newScatter()
	chain := func(numbers ...uint32) *block {
		next := g.reject
		for _, k := range numbers {
			next = g.block(test{src, relEqual, k}, g.accept, g.block(test{dst, relEqual, k}, g.accept, next))
		}
		return next
	}
	tests := []struct {
		name string
		a, b *block
		want bool
	}{
		{"the same", chain(1, 2, 3), chain(1, 2, 3), true},
		{"another order", chain(1, 2, 3), chain(3, 1, 2), true},
		{"one less", chain(1, 2, 3), chain(1, 3), false},
		{"everything and something", g.accept, chain(1), false},
		{"opposites", g.is(src, 1, g.accept, g.reject), g.is(src, 1, g.reject, g.accept), false},
	}
	for _, tt := range tests {
		if got := seemEqual(tt.a, tt.b, &setTable{}); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestMistakesOfLibpcap checks verdicts where the optimizer of libpcap 1.10
// moves a test past which another way leads.
func TestMistakesOfLibpcap(t *testing.T) {
	twelve := "10.0.0.2 or 10.0.0.2 or 172.16.0.1 or 10.0.1.1 or 10.0.0.2 or 10.0.0.2 or 10.0.0.1 or 10.0.0.2 or 10.0.0.2 or 10.0.0.1"
	exprs := []string{
		"host 0.0.0.0 and not 10.0.0.2 and not 10.0.0.2 and not 10.0.0.2 and not 172.16.0.1 and not 172.16.0.1 and not 10.0.1.1 and not 10.0.0.1 and not 10.0.1.1 and not 10.0.0.1 and not 192.168.7.9 and not 10.0.0.1 and not 10.0.0.2",
		"not (host 192.168.7.9 or 10.0.1.1 or 10.0.0.2 or 0.0.0.0 or 10.0.1.1 or 0.0.0.0) or host " + twelve,
	}
	pairs := [][2]string{{"0.0.0.0", "172.16.0.1"}, {"172.16.0.1", "0.0.0.0"}, {"10.0.0.1", "10.0.0.2"}, {"0.0.0.0", "0.0.0.0"}, {"10.0.1.1", "0.0.0.0"}}
	for _, expr := range exprs {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		plain := unoptimized(t, expr)
		for _, addr := range pairs {
			pkt := tcp4(addr[0], addr[1], 1, 2)
			compare(t, expr, pkt, p.Match(pkt, len(pkt)), plain.Match(pkt, len(pkt)))
		}
	}
}
