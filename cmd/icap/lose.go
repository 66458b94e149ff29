package main

import (
	"context"
	"fmt"

	"icap/afpacket"
)

// lose goes on without a track that has failed. Its rings leave their groups,
// so that the kernel gives their packets to the others; what they had received
// until then counts as not written. It returns when the capture ends.
func (s *session) lose(ctx context.Context, t *track, err error) {
	s.mu.Lock()
	rings := t.rings
	t.rings = nil
	s.mu.Unlock()
	counts := make([]afpacket.Stats, len(t.result.Sources))
	for i, r := range rings {
		stats, _ := r.Leave() // the error that matters is known
		counts[t.of[i]].Add(stats)
	}
	for i := range t.result.Sources {
		t.result.Sources[i].Stats = counts[i]
	}
	fmt.Fprintf(s.errs, "icap: %s; the other workers go on, and get its packets from now on\n", printable(err.Error()))
	for {
		select {
		case <-t.ask:
			t.answer(t.result)
		case <-ctx.Done():
			return
		}
	}
}
