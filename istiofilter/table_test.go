package istiofilter

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// client is the key of the n-th client.
func client(n int) flowKey {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], uint32(n))
	return end(ofClient, netip.AddrPortFrom(netip.AddrFrom4(a), 1))
}

func TestTableIsBounded(t *testing.T) {
	const limit = 100
	f := newTable(limit)
	for n := range 50 * limit {
		f.put(client(n), Self)
		if len(f.young) > limit || len(f.old) > limit {
			t.Fatalf("after %d: %d young and %d old of at most %d", n, len(f.young), len(f.old), limit)
		}
		// What is found becomes young, so each step takes two places.
		if leg, ok := f.get(client(max(0, n-limit/2+1))); !ok || leg != Self {
			t.Fatalf("after %d: one of the last %d is forgotten", n, limit/2)
		}
	}
	if _, ok := f.get(client(0)); ok {
		t.Error("the first one is not forgotten")
	}
}

// TestTableKeepsHotFlows has some connections in use while many come and go.
func TestTableKeepsHotFlows(t *testing.T) {
	const limit, hot = 100, 40
	f := newTable(limit)
	for n := range hot {
		f.put(client(n), SelfWire)
	}
	for n := hot; n < 50*limit; n++ {
		f.put(client(n), Self)
		if n%2 == 0 {
			continue
		}
		for k := range hot {
			if leg, ok := f.get(client(k)); !ok || leg != SelfWire {
				t.Fatalf("after %d: connection %d is %v, %v", n, k, leg, ok)
			}
		}
	}
}

func TestTableLastPutCounts(t *testing.T) {
	f := newTable(2)
	f.put(client(1), Self)
	f.put(client(2), Self)
	f.put(client(3), Self)
	f.put(client(1), SelfWire) // it is old by now
	if leg, ok := f.get(client(1)); leg != SelfWire || !ok {
		t.Errorf("got %v, %v", leg, ok)
	}
	f.remove(client(1))
	f.remove(client(2))
	for n := 1; n <= 3; n++ {
		if _, ok := f.get(client(n)); ok != (n == 3) {
			t.Errorf("%d is there: %v", n, ok)
		}
	}
}

// TestKeysAreDistinct has keys that share addresses and ports.
func TestKeysAreDistinct(t *testing.T) {
	none := netip.MustParseAddrPort("[::]:0")
	a := netip.MustParseAddrPort("10.0.0.1:53")
	b := netip.MustParseAddrPort("[::1]:53")
	keys := []flowKey{
		connection(onWire, a, none), connection(onLoopback, a, none), end(ofClient, a), end(ofResolver, a),
		connection(onWire, none, a), connection(onWire, a, b), connection(onWire, b, a), end(ofClient, b),
	}
	seen := make(map[flowKey]bool)
	for _, k := range keys {
		if seen[k] {
			t.Errorf("%v is not distinct", k)
		}
		seen[k] = true
	}
}

func TestPortSet(t *testing.T) {
	var s portSet
	s.add(0, 63, 64, 65535)
	n := 0
	for p := range 1 << 16 {
		if s.has(uint16(p)) {
			n++
		}
	}
	if n != 4 || !s.has(0) || !s.has(63) || !s.has(64) || !s.has(65535) {
		t.Errorf("%d ports", n)
	}
}
