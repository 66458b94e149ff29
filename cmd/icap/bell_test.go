package main

import (
	"context"
	"testing"
	"time"
)

// TestPace looks at once when the bell rings, though the usual time is long,
// and goes on to look for a while.
func TestPace(t *testing.T) {
	var b bell
	p := b.newPace()
	b.ring()
	b.ring()
	for i := range 3 {
		if !p.wait(t.Context(), time.Hour) {
			t.Fatalf("wait %d has ended", i)
		}
	}
	p.rang = time.Time{}
	go b.ring()
	if !p.wait(t.Context(), time.Hour) {
		t.Error("the wait has ended, not the time")
	}
	p.rang = time.Time{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p.wait(ctx, time.Hour) {
		t.Error("the time is over before the context")
	}
	if !p.wait(t.Context(), time.Millisecond) {
		t.Error("without a ring the usual time does not end")
	}
}
