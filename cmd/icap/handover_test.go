package main

import "testing"

// TestHandOver has every packet once, but for those of the moment.
func TestHandOver(t *testing.T) {
	const moment = 1_700_000_000_000_000_000
	old, young := &source{}, &source{}
	handOver([]*source{old}, []*source{young}, moment)
	for at, want := range map[int64][2]bool{
		moment - 1e9:           {true, false},
		moment - 1:             {true, false},
		moment:                 {true, true},
		moment + handSlack - 1: {true, true},
		moment + handSlack:     {false, true},
		moment + 1e9:           {false, true},
	} {
		if got := [2]bool{!old.handed.over(at), !young.handed.over(at)}; got != want {
			t.Errorf("at %+d: %v, want %v", at-moment, got, want)
		}
	}
	if old.handed.packets != 2 || young.handed.packets != 2 {
		t.Errorf("%d and %d were left to the other, want 2 and 2", old.handed.packets, young.handed.packets)
	}
	if alone := (&source{}); alone.handed.over(moment) {
		t.Error("a source that has no successor lacks a packet")
	}
}
