package istiofilter

import "net/netip"

// maxFlows is how many connections a generation of the table holds. With two
// generations of 64 bytes an entry the table takes some 10 MB at the most.
const maxFlows = 1 << 16

// A flowKey is a connection, or one end of it, without pointers.
type flowKey struct {
	local, remote         [16]byte
	localPort, remotePort uint16
}

// pair is the key of a connection.
func pair(local, remote netip.AddrPort) flowKey {
	return flowKey{local.Addr().As16(), remote.Addr().As16(), local.Port(), remote.Port()}
}

// half is the key of whatever connection has this end.
func half(local netip.AddrPort) flowKey {
	return flowKey{local: local.Addr().As16(), localPort: local.Port()}
}

// A table remembers the legs of connections, those that were used last. It
// has two generations: when the young one is full, it becomes the old one and
// the old one is forgotten. What is found in the old one becomes young again.
type table struct {
	young, old map[flowKey]Leg
	limit      int
}

func newTable(limit int) *table {
	return &table{young: make(map[flowKey]Leg), old: make(map[flowKey]Leg), limit: limit}
}

func (t *table) get(k flowKey) (Leg, bool) {
	if leg, ok := t.young[k]; ok {
		return leg, true
	}
	leg, ok := t.old[k]
	if ok {
		t.put(k, leg)
	}
	return leg, ok
}

func (t *table) put(k flowKey, leg Leg) {
	if len(t.young) >= t.limit {
		clear(t.old)
		t.young, t.old = t.old, t.young
	}
	t.young[k] = leg
}

func (t *table) remove(k flowKey) {
	delete(t.young, k)
	delete(t.old, k)
}

// A portSet is a set of ports.
type portSet [1 << 16 / 64]uint64

func (s *portSet) add(ports ...uint16) {
	for _, p := range ports {
		s[p/64] |= 1 << (p % 64)
	}
}

func (s *portSet) has(p uint16) bool { return s[p/64]&(1<<(p%64)) != 0 }
