package ends

import (
	"net/netip"
	"slices"

	"icap/internal/flow"
)

// An End is a connection as the capture in one pod shows it.
type End struct {
	*flow.Conn
	Pod string
}

// A Matcher finds the other ends of connections. The zero value has none.
type Matcher struct {
	ends    map[*flow.Conn]*end
	byStart map[uint32][]*end // by the client's initial sequence number
	byAddrs map[addrs][]*end
}

// An end waits for the other one, or has found it.
type end struct {
	End
	other *end
}

// addrs are those of a connection.
type addrs struct {
	proto          uint8
	client, server netip.AddrPort
}

func (e *end) addrs() addrs { return addrs{e.Proto, e.Client, e.Server} }

// Add takes a connection that has begun. One without a pod, or of which the
// capture does not tell which way its packets go, has no other end.
func (m *Matcher) Add(e End) {
	if e.Pod == "" || e.Out == e.In {
		return
	}
	if m.ends == nil {
		m.ends = make(map[*flow.Conn]*end)
		m.byStart, m.byAddrs = make(map[uint32][]*end), make(map[addrs][]*end)
	}
	own := &end{End: e}
	m.ends[e.Conn] = own
	if own.other = m.find(own); own.other != nil {
		own.other.other = own
	}
	remember(m.byAddrs, own.addrs(), own)
	if n := e.Numbers; n.HasClient {
		remember(m.byStart, n.Client, own)
	}
}

// maxAlike is how many ends are looked through for one: programs that scan
// begin all connections with one number.
const maxAlike = 64

// remember puts an end on a list, in the place of the oldest if need be.
func remember[K comparable](lists map[K][]*end, k K, e *end) {
	list := lists[k]
	if len(list) == maxAlike {
		list = slices.Delete(list, 0, 1)
	}
	lists[k] = append(list, e)
}

// Remove forgets a connection that is not asked for any more.
func (m *Matcher) Remove(c *flow.Conn) {
	e := m.ends[c]
	if e == nil {
		return
	}
	e.part()
	delete(m.ends, c)
	forget(m.byAddrs, e.addrs(), e)
	forget(m.byStart, c.Numbers.Client, e)
}

// forget takes an end off a list.
func forget[K comparable](lists map[K][]*end, k K, e *end) {
	list := slices.DeleteFunc(lists[k], func(o *end) bool { return o == e })
	if lists[k] = list; len(list) == 0 {
		delete(lists, k)
	}
}

// part says that two ends are not of one connection.
func (e *end) part() {
	if e.other != nil {
		e.other.other, e.other = nil, nil
	}
}

// find looks for the other end among those that have none: one with the same
// addresses, else one with the same beginning, the latest first.
func (m *Matcher) find(e *end) *end {
	lists := [][]*end{m.byAddrs[e.addrs()]}
	if e.Numbers.HasClient {
		lists = append(lists, m.byStart[e.Numbers.Client])
	}
	for _, list := range lists {
		for _, o := range slices.Backward(list) {
			if o.other == nil && o.Pod != e.Pod && o.Out == e.In && compare(e, o).fit {
				return o
			}
		}
	}
	return nil
}

// Join is the connection that one of its ends belongs to; not ok if the other
// one was not captured. What both have shown by now decides.
func (m *Matcher) Join(c *flow.Conn) (j Join, ok bool) {
	e := m.ends[c]
	if e == nil {
		return j, false
	}
	if e.other != nil && !compare(e, e.other).fit {
		e.part()
	}
	if e.other == nil {
		if e.other = m.find(e); e.other == nil {
			return j, false
		}
		e.other.other = e
	}
	client, server := e, e.other
	if e.In {
		client, server = server, client
	}
	likeness := compare(client, server)
	return Join{Client: client.End, Server: server.End, Certain: likeness.certain, Evidence: likeness.evidence,
		Translated: client.addrs() != server.addrs()}, true
}
