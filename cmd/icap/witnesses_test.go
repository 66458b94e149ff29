package main

import (
	"net/netip"
	"testing"

	"icap/internal/kernel"
	"icap/internal/socktrace"
)

func TestWitnesses(t *testing.T) {
	key := func(port int) socketKey {
		return socketKey{1, netip.AddrPortFrom(netip.IPv6Loopback(), uint16(port)), netip.MustParseAddrPort("[::1]:80")}
	}
	by := func(pid int) holder { return holder{Process: kernel.Process{PID: pid}} }
	var w witnesses
	w.note(key(1), sighting{at: 0, kind: socktrace.State, holder: by(10)})
	w.note(key(1), sighting{at: 10e9, kind: socktrace.State, holder: by(20)})
	w.note(key(1), sighting{at: 10e9 + 5, kind: socktrace.Sent, reason: "NO_SOCKET"})
	for at, want := range map[int64]int{-1: 10, 4e9: 10, 6e9: 20, 30e9: 20} {
		if h, ok := w.holderOf(key(1), at); !ok || h.PID != want {
			t.Errorf("at %d: %+v, %v, want %d", at, h, ok, want)
		}
	}
	if got, ok := w.reasonOf(key(1), 10e9); got != "NO_SOCKET" || !ok {
		t.Errorf("reason %q, %v", got, ok)
	}
	if got, ok := w.reasonOf(key(1), 5e9); got != "" || ok {
		t.Errorf("reason of another time: %q", got)
	}
	if w.tookReset(key(1), 10e9) {
		t.Error("a RST was taken that was sent")
	}
	for i := range 2 * maxSightings {
		w.note(key(2+i%3), sighting{at: int64(i), holder: by(1)})
	}
	if _, ok := w.holderOf(key(1), 0); ok || len(w.seen) != 3 || len(w.order) != maxSightings {
		t.Errorf("%d sockets are remembered, %d sightings", len(w.seen), len(w.order))
	}
}
