package report

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/flow"
)

// captured is a connection whose SYN and answer, first byte of the request, and
// of the response, were captured at these times, in microseconds.
func captured(place, host, client, server string, out bool, asked, answered, request, response int64) *flow.Conn {
	const us = 1000
	c := &flow.Conn{
		Proto: flow.ProtoTCP, Place: place, Host: host, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		Start: asked * us, Last: (response + 100) * us, Out: out, In: !out,
	}
	c.Numbers = flow.Numbers{Client: 7, HasClient: true, Server: 9, HasServer: true, Asked: asked * us, Answered: answered * us, SYNs: 1}
	c.Up.Payload, c.Down.Payload = 100, 200
	c.Up.Marks = []flow.Mark{{From: 8, To: 108, Time: request * us}}
	c.Down.Marks = []flow.Mark{{From: 10, To: 210, Time: response * us}}
	return c
}

// TestHops tells what each hop took, with the clock of the server's host ahead
// or not.
func TestHops(t *testing.T) {
	for _, test := range []struct {
		hosts [2]string
		ahead int64
		want  string // µs of connect, request and response
	}{
		{[2]string{"a", "a"}, 0, "app 10 - 700; proxy 10 100 100; network 100 50 60; proxy 10 80 90; app 5 - 220"},
		{[2]string{"a", "b"}, 70_000, "app 10 - 700; proxy 10 100 100; network 100 55 55 halved; proxy 10 80 90; app 5 - 220"},
		{[2]string{"", ""}, 70_000, "app 10 - 700; proxy 10 100 100; network 100 55 55 halved; proxy 10 80 90; app 5 - 220"},
	} {
		d := test.ahead
		all := []*flow.Conn{
			captured("lo:outbound-app@web", test.hosts[0], "10.0.0.1:1000", "10.96.0.1:80", false, 1000, 1010, 1100, 1800),
			captured("eth0:outbound-wire@web", test.hosts[0], "10.0.0.1:2000", "10.96.0.1:80", true, 1020, 1130, 1200, 1700),
			captured("eth0:inbound-wire@db", test.hosts[1], "10.0.0.1:2000", "10.0.0.2:8080", false, 1060+d, 1070+d, 1250+d, 1640+d),
			captured("lo:inbound-app@db", test.hosts[1], "127.0.0.6:3000", "10.0.0.2:8080", false, 1300+d, 1305+d, 1330+d, 1550+d),
		}
		p := newPairing(all, nobody{})
		var got []string
		for _, h := range p.hops() {
			said := h.At
			for _, seconds := range []*float64{h.Connect, h.Request, h.Response} {
				if seconds == nil {
					said += " -"
				} else {
					said += fmt.Sprintf(" %.0f", *seconds*1e6)
				}
			}
			if h.Halved {
				said += " halved"
			}
			if h.Flow != 1 || h.Hop != len(got)+1 {
				t.Errorf("%+v", h)
			}
			got = append(got, said)
		}
		if got := strings.Join(got, "; "); got != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.hosts, got, test.want)
		}
		numbers := make(map[int]bool)
		for _, c := range all {
			numbers[p.ids.first(c)] = true
		}
		if len(p.pairs) != 3 || len(numbers) != 1 || !numbers[1] {
			t.Errorf("%d pairs, flows %v", len(p.pairs), numbers)
		}
	}
}

// TestNode leaves out what a node forwards: it is no end of a connection.
func TestNode(t *testing.T) {
	all := []*flow.Conn{
		captured("eth0:outbound-wire@web", "", "10.0.0.1:2000", "10.0.0.2:8080", true, 1020, 1130, 1200, 1700),
		captured("veth1:direct@host", "", "10.0.0.1:2000", "10.0.0.2:8080", false, 1060, 1070, 1250, 1640),
	}
	if p := newPairing(all, nobody{}); len(p.joins)+len(p.chains) != 0 {
		t.Errorf("%+v", p.joins)
	}
}
