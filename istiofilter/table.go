package istiofilter

import "net/netip"

// maxFlows is how many connections a generation of the table holds. With two
// generations of 64 bytes an entry the table takes some 10 MB at the most.
const maxFlows = 1 << 16

// A flowKey is a connection, or one end of it, without pointers.
type flowKey struct {
	local, remote         [16]byte
	localPort, remotePort uint16
	kind                  flowKind
}

// A flowKind keeps keys apart that may have the same addresses.
type flowKind uint8

const (
	// onWire is a connection on another interface than lo.
	onWire flowKind = iota
	// onLoopback is a connection on lo, where local is the client.
	onLoopback
	// ofClient is whatever connection on lo has this client.
	ofClient
	// ofResolver is whatever TCP connection on lo this client has with port
	// 53.
	ofResolver
	// inPod is a connection on lo between two addresses of the pod, the lower
	// end first.
	inPod
)

// connection is the key of a connection.
func connection(kind flowKind, local, remote netip.AddrPort) flowKey {
	return flowKey{
		local: local.Addr().As16(), localPort: local.Port(),
		remote: remote.Addr().As16(), remotePort: remote.Port(),
		kind: kind,
	}
}

// end is the key of a connection of which only one end is known.
func end(kind flowKind, client netip.AddrPort) flowKey {
	return flowKey{local: client.Addr().As16(), localPort: client.Port(), kind: kind}
}

// A table remembers the legs of connections, those that were used last. It
// has two generations: when the young one is full, it becomes the old one and
// the old one is forgotten. What is found in the old one becomes young again.
type table struct {
	young, old map[flowKey]Leg
	limit      int
	forgotten  uint64
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
		t.forgotten += uint64(len(t.old))
		clear(t.old)
		t.young, t.old = t.old, t.young
	}
	delete(t.old, k)
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
