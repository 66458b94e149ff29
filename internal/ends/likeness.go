package ends

import (
	"strings"

	"icap/internal/flow"
)

// A likeness is what two ends have in common.
type likeness struct {
	fit      bool // they can be one connection
	certain  bool
	evidence string
}

// near is how far apart the sequence numbers of one connection may be at its
// two ends: more than any window, and far less than by chance.
const near = 1 << 26

// compare says whether two ends can be of one connection. The first SYN may be
// lost on the way, and with it its timestamp; its sequence number is sent again.
func compare(a, b *end) likeness {
	n, o := a.Numbers, b.Numbers
	client, server := n.HasClient && o.HasClient, n.HasServer && o.HasServer
	if client && n.Client != o.Client || server && n.Server != o.Server {
		return likeness{}
	}
	stamp := n.Stamp != 0 && n.Stamp == o.Stamp
	if a.addrs() == b.addrs() {
		return alike(a, b, client || server)
	}
	if !client {
		return likeness{}
	}
	same := []string{"initial sequence number of the client"}
	if server {
		same = append(same, "that of the server")
	}
	if stamp {
		same = append(same, "timestamp of the SYN")
	}
	kept := a.Client == b.Client
	switch {
	case kept:
		same = append(same, "address and port of the client")
	case a.Client.Port() == b.Client.Port():
		same = append(same, "port of the client")
	}
	return likeness{true, server || stamp || kept, "through NAT, with the same " + strings.Join(same, ", ")}
}

// alike compares two ends with the same addresses, of which the beginning may
// be known.
func alike(a, b *end, begun bool) likeness {
	switch {
	case begun:
		return likeness{true, true, "the same addresses, ports and initial sequence numbers"}
	case a.Proto == flow.ProtoUDP:
		return likeness{true, true, "the same addresses and ports"}
	}
	compared, agree := 0, true
	for _, side := range [][2]func() (uint32, bool){{a.Up.Reached, b.Up.Reached}, {a.Down.Reached, b.Down.Reached}} {
		x, xok := side[0]()
		y, yok := side[1]()
		if xok && yok {
			compared++
			agree = agree && x-y+near < 2*near
		}
	}
	switch {
	case !agree:
		return likeness{}
	case compared == 2:
		return likeness{true, true, "the same addresses and ports, and sequence numbers near each other"}
	}
	return likeness{true, false, "the same addresses and ports"}
}
