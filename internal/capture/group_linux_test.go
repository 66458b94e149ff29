package capture_test

import (
	"testing"

	"icap/afpacket"
	"icap/internal/capture"
)

// TestGroupIsOneSource has three rings share an interface by turns, so that
// the packets of every moment are spread over all of them.
func TestGroupIsOneSource(t *testing.T) {
	const n = 6000
	p := newPair(t)
	group := &afpacket.Group{Spread: afpacket.ByTurn}
	c := capture.Config{Of: []int{0, 0, 0, 1}}
	c.Rings = append(p.open(t, afpacket.Config{Group: group}, "bx", "bx", "bx"), p.open(t, afpacket.Config{}, "by")...)
	sink := &recorder{}
	c.Sink = sink
	result, err := run(t, c, func() {
		for range 10 {
			p.send(t, 0, n/10, 200)
			p.send(t, 1, 5, 200)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	sink.inOrder(t)
	if len(result.Sources) != 2 || sink.sources[0] != n || sink.sources[1] != 50 || result.Late != 0 {
		t.Errorf("%v in the sink, want %d and 50; %d late; %+v", sink.sources, n, result.Late, result.Sources)
	}
	for i, r := range c.Rings {
		if s, err := r.Stats(); err != nil || s.Received == 0 {
			t.Errorf("ring %d: %+v, %v", i, s, err)
		}
	}
}

// TestAsk reads the counts of a capture that goes on.
func TestAsk(t *testing.T) {
	p := newPair(t)
	ask := make(chan struct{})
	answers := make(chan capture.Source, 1)
	c := capture.Config{
		Rings: p.open(t, afpacket.Config{}, "bx", "by"), Sink: &recorder{}, Ask: ask,
		Answer: func(r *capture.Result) { answers <- r.Total() },
	}
	var last capture.Source
	result, err := run(t, c, func() {
		for i := range uint64(4) {
			p.send(t, int(i%2), 100, 200)
			ask <- struct{}{}
			got := <-answers
			if got.Received != 100*(i+1) || got.Written < last.Written {
				t.Errorf("after %d packets: %+v", 100*(i+1), got)
			}
			last = got
		}
	})
	if err != nil || result.Total().Written != 400 {
		t.Errorf("%+v, %v", result.Total(), err)
	}
}
