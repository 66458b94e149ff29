package cause

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/flow"
	"icap/istiofilter"
)

// stretch is a connection that lasts from one millisecond to another.
func stretch(leg istiofilter.Leg, client, server string, from, to int64, up, down uint64) *Stretch {
	c := &flow.Conn{
		Proto: flow.ProtoTCP, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		Start: from * 1e6, Last: to * 1e6, Up: flow.Side{Payload: up}, Down: flow.Side{Payload: down},
	}
	return &Stretch{c, Where{leg, true}, "pod"}
}

func TestPairs(t *testing.T) {
	const (
		app, wire       = istiofilter.OutboundApp, istiofilter.OutboundWire
		inWire, inApp   = istiofilter.InboundWire, istiofilter.InboundApp
		pod, peer, svc  = "10.0.0.5", "10.0.0.9:8080", "10.96.0.1:80"
		client, sidecar = "10.0.0.1", "127.0.0.6"
	)
	older := stretch(wire, pod+":2000", peer, 0, 50, 100, 200)
	older.Guessed = true
	for _, test := range []struct {
		name string
		all  []*Stretch
		want string // client ports, and how sure
	}{
		{"one each way", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200),
			stretch(wire, pod+":2000", peer, 1, 51, 100, 200),
		}, "1000-2000 certain 1.00"},
		{"one each way, and nothing in common in time", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200),
			stretch(wire, pod+":2000", peer, 60, 80, 100, 200),
		}, ""},
		{"one after the other", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200), stretch(wire, pod+":2000", peer, 1, 51, 100, 200),
			stretch(app, pod+":1001", svc, 100, 150, 100, 200), stretch(wire, pod+":2001", peer, 101, 151, 100, 200),
		}, "1000-2000 certain 1.00; 1001-2001 certain 1.00"},
		{"older than the capture", []*Stretch{stretch(app, pod+":1000", svc, 0, 50, 100, 200), older},
			"1000-2000 likely 0.99"},
		{"two at once, told apart by size", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 90000), stretch(app, pod+":1001", svc, 0, 50, 100, 200),
			stretch(wire, pod+":2000", peer, 1, 51, 100, 200), stretch(wire, pod+":2001", peer, 1, 51, 100, 90000),
		}, "1000-2001 likely 1.00; 1001-2000 likely 1.00"},
		{"two at once, sizes against times", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 60000), stretch(app, pod+":1001", svc, 0, 50, 100, 55000),
			stretch(wire, pod+":2000", peer, 1, 51, 100, 55000), stretch(wire, pod+":2001", peer, 20, 60, 100, 60000),
		}, "1000-2001 likely 0.79; 1001-2000 likely 0.99"},
		{"two at once, and nothing to tell them apart", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200), stretch(app, pod+":1001", svc, 0, 50, 100, 200),
			stretch(wire, pod+":2000", peer, 1, 51, 100, 200), stretch(wire, pod+":2001", peer, 1, 51, 100, 200),
		}, "1000-2000 likely 0.50; 1000-2001 likely 0.50; 1001-2000 likely 0.50; 1001-2001 likely 0.50"},
		{"two share one", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200), stretch(app, pod+":1001", svc, 0, 50, 100, 200),
			stretch(wire, pod+":2000", peer, 1, 51, 100, 200),
		}, "1000-2000 likely 0.50; 1001-2000 likely 0.50"},
		{"another port", []*Stretch{
			stretch(inWire, client+":1000", pod+":8080", 0, 50, 100, 200), stretch(inApp, sidecar+":2000", pod+":9090", 1, 50, 100, 200),
		}, ""},
		{"another client", []*Stretch{
			stretch(inWire, client+":1000", pod+":8080", 0, 50, 100, 200), stretch(inApp, "10.0.0.2:2000", pod+":8080", 1, 50, 100, 200),
		}, ""},
		{"to itself", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200),
			stretch(istiofilter.SelfWire, pod+":2000", pod+":8080", 1, 50, 100, 200),
			stretch(inApp, sidecar+":3000", pod+":8080", 2, 50, 100, 200),
		}, "1000-2000 certain 1.00; 2000-3000 certain 1.00"},
		{"by a tunnel", []*Stretch{
			stretch(app, pod+":1000", svc, 0, 50, 100, 200),
			stretch(istiofilter.HBONE, pod+":2000", "10.0.0.9:15008", 1, 50, 3000, 3000),
			stretch(istiofilter.HBONE, client+":3000", pod+":15008", 1, 50, 3000, 3000),
			stretch(inApp, client+":4000", pod+":8080", 2, 50, 100, 200),
		}, "1000-2000 certain 1.00; 3000-4000 certain 1.00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, p := range Pairs(test.all) {
				if p.Evidence == "" {
					t.Error("no evidence")
				}
				got = append(got, fmt.Sprintf("%d-%d %s %.2f", p.In.Client.Port(), p.Out.Client.Port(), p.Sure, p.Likelihood))
			}
			if got := strings.Join(got, "; "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
