package bpfc

import "testing"

// TestSeen checks what tests tell of each other in the first round of moving
// branches, and in later ones.
func TestSeen(t *testing.T) {
	proto, network := field(23, 1), field(26, 4).masked(0xff000000)
	plain := func(v value, rel relation, k uint32) *block { return &block{test: test{v, rel, k}} }
	relation := func(v value, rel relation, k uint32) *block { return &block{test: test{v, rel, k}, written: true} }
	tests := []struct {
		name         string
		a, b         *block
		first, later bool // whether both have the same in A
	}{
		{"one field", plain(proto, relEqual, 6), plain(proto, relEqual, 17), true, true},
		{"another field", plain(proto, relEqual, 6), plain(network, relEqual, 6), false, false},
		{"a relation and a primitive", relation(proto, relEqual, 6), plain(proto, relEqual, 6), false, false},
		{"the same relation", relation(proto, relEqual, 6), relation(proto, relEqual, 6), true, true},
		{"relations with other numbers", relation(proto, relEqual, 6), relation(proto, relEqual, 17), false, true},
		{"an order and an equality", relation(proto, relGreater, 6), relation(proto, relEqual, 6), false, true},
		{"orders", relation(proto, relGreater, 6), relation(proto, relGreaterEqual, 17), true, true},
		{"the length, however written", relation(packetLength, relGreater, 6), plain(packetLength, relGreater, 7), true, true},
		{"a network and that of zeros", plain(network, relEqual, 0), plain(network, relEqual, 10<<24), true, false},
	}
	for _, tt := range tests {
		for _, firstRound := range [2]bool{true, false} {
			want := tt.later
			if firstRound {
				want = tt.first
			}
			a, _ := tt.a.seen(firstRound)
			b, _ := tt.b.seen(firstRound)
			if got := a.sameA(b); got != want || b.sameA(a) != want {
				t.Errorf("%s, first round %v: got %v, want %v", tt.name, firstRound, got, want)
			}
		}
	}
}

// TestSettled checks of which tests the result is seen, and when.
func TestSettled(t *testing.T) {
	late := nothing
	late.off = lateNothing
	tests := []struct {
		name                 string
		b                    block
		first, later, result bool
	}{
		{"a protocol that there is not", block{test: test{nothing, relEqual, 1}}, true, true, false},
		{"1 = 1", block{test: test{nothing, relEqual, 0}, written: true}, false, true, true},
		{"1 > 2", block{test: test{nothing, relGreater, 0}, written: true}, true, true, false},
		{"1 + 1 = 2", block{test: test{late, relEqual, 0}, written: true}, false, false, false},
		{"net 0.0.0.0/0", block{test: test{field(26, 4).masked(0), relEqual, 0}}, true, true, false}, // turned
		{"ip[0] & 2 & 1 = 0", block{test: test{field(14, 1).masked(0), relEqual, 0}, written: true}, false, false, false},
		{"ip[0] = 300", block{test: test{field(14, 1), relEqual, 300}, written: true}, false, false, false},
		{"greater 0", block{test: test{packetLength, relGreaterEqual, 0}}, false, false, false},
	}
	for _, tt := range tests {
		for _, firstRound := range [2]bool{true, false} {
			want := tt.later
			if firstRound {
				want = tt.first
			}
			s, _ := tt.b.seen(firstRound)
			result, ok := s.settled()
			if ok != want || ok && result != tt.result {
				t.Errorf("%s, first round %v: got %v, %v, want %v, %v", tt.name, firstRound, result, ok, tt.result, want)
			}
		}
	}
}
