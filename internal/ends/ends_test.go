package ends

import (
	"net/netip"
	"strings"
	"testing"

	"icap/internal/flow"
)

// conn is a connection whose SYN and answer were captured at these times; 0 is
// never.
func conn(client, server string, out bool, isn, answer, stamp uint32, asked, answered int64) *flow.Conn {
	c := &flow.Conn{Proto: flow.ProtoTCP, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server), Out: out, In: !out}
	c.Numbers = flow.Numbers{Client: isn, HasClient: asked != 0, Server: answer, HasServer: answered != 0, Stamp: stamp, Asked: asked, Answered: answered}
	if asked != 0 {
		c.Numbers.SYNs = 1
	}
	return c
}

func TestJoin(t *testing.T) {
	const client, pod, service, node = "10.0.0.1:1000", "10.0.0.9:8080", "10.96.0.1:80", "192.0.2.1:2000"
	sent := func(to string) *flow.Conn { return conn(client, to, true, 7, 9, 5, 1000, 9000) }
	datagrams := func(out bool) *flow.Conn {
		c := conn(client, pod, out, 0, 0, 0, 0, 0)
		c.Proto = flow.ProtoUDP
		return c
	}
	for _, test := range []struct {
		name          string
		client        *flow.Conn
		server        *flow.Conn
		want          string // of the evidence, "" for none
		certain, nats bool
	}{
		{"the same", sent(pod), conn(client, pod, false, 7, 9, 5, 3000, 6000), "initial sequence numbers", true, false},
		{"to a service", sent(service), conn(client, pod, false, 7, 9, 5, 3000, 6000), "that of the server, timestamp of the SYN, address and port", true, true},
		{"from behind a node", sent(service), conn(node, pod, false, 7, 9, 5, 3000, 6000), "that of the server, timestamp of the SYN", true, true},
		{"no answer", conn(client, service, true, 7, 0, 5, 1000, 0), conn(node, pod, false, 7, 0, 5, 3000, 0), "timestamp", true, true},
		{"by a number alone", conn(client, service, true, 7, 0, 0, 1000, 0), conn(node, pod, false, 7, 0, 0, 3000, 0), "number of the client", false, true},
		{"another answer", sent(service), conn(node, pod, false, 7, 10, 5, 3000, 6000), "", false, false},
		{"another one between the same", sent(pod), conn(client, pod, false, 8, 9, 5, 3000, 6000), "", false, false},
		{"midway", conn(client, pod, true, 0, 0, 0, 0, 0), conn(client, pod, false, 0, 0, 0, 0, 0), "the same addresses and ports", false, false},
		{"midway through NAT", conn(client, service, true, 0, 0, 0, 0, 0), conn(client, pod, false, 0, 0, 0, 0, 0), "", false, false},
		{"UDP", datagrams(true), datagrams(false), "the same addresses and ports", true, false},
		{"UDP and TCP", datagrams(true), conn(client, pod, false, 0, 0, 0, 0, 0), "", false, false},
		{"two clients", sent(pod), conn(client, pod, true, 7, 9, 5, 3000, 6000), "", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, turned := range []bool{false, true} {
				var m Matcher
				ends := []End{{test.client, "a"}, {test.server, "b"}}
				if turned {
					ends[0], ends[1] = ends[1], ends[0]
				}
				for _, e := range ends {
					m.Add(e)
				}
				j, ok := m.Join(test.client)
				if ok != (test.want != "") || ok && (!strings.Contains(j.Evidence, test.want) || j.Certain != test.certain || j.Translated != test.nats ||
					j.Client.Conn != test.client || j.Server.Conn != test.server || j.Other(j.Client.Conn).Pod != "b" || j.Other(j.Server.Conn).Pod != "a") {
					t.Errorf("%v, %+v", ok, j)
				}
			}
		})
	}
}

// TestNoJoin keeps ends apart that are in one pod, or in none.
func TestNoJoin(t *testing.T) {
	for _, pods := range [][2]string{{"a", "a"}, {"", "b"}, {"", ""}} {
		var m Matcher
		out := conn("10.0.0.1:1000", "10.0.0.9:80", true, 7, 9, 0, 1, 4)
		m.Add(End{out, pods[0]})
		m.Add(End{conn("10.0.0.1:1000", "10.0.0.9:80", false, 7, 9, 0, 2, 3), pods[1]})
		if j, ok := m.Join(out); ok {
			t.Errorf("%q: %+v", pods, j)
		}
	}
}

// TestPart joins a connection anew when an answer shows that it was another
// one, and forgets those that are done.
func TestPart(t *testing.T) {
	var m Matcher
	out := conn("10.0.0.1:1000", "10.96.0.1:80", true, 7, 0, 0, 1, 0)
	wrong := conn("10.0.0.1:1000", "10.0.0.8:80", false, 7, 8, 0, 2, 3)
	right := conn("10.0.0.1:1000", "10.0.0.9:80", false, 7, 9, 0, 2, 3)
	m.Add(End{out, "a"})
	m.Add(End{wrong, "b"})
	m.Add(End{right, "c"})
	if j, _ := m.Join(out); j.Server.Conn != wrong {
		t.Fatalf("%+v", j)
	}
	out.Numbers.Server, out.Numbers.HasServer, out.Numbers.Answered = 9, true, 4
	if j, _ := m.Join(out); j.Server.Conn != right {
		t.Fatalf("%+v", j)
	}
	if j, ok := m.Join(wrong); ok {
		t.Errorf("%+v", j)
	}
	for _, c := range []*flow.Conn{out, wrong, right, right} {
		m.Remove(c)
	}
	if len(m.ends)+len(m.byAddrs)+len(m.byStart) != 0 {
		t.Errorf("left: %v", m)
	}
}

func TestRoundTrip(t *testing.T) {
	at := func(asked, answered int64) End {
		return End{conn("10.0.0.1:1", "10.0.0.9:2", true, 7, 9, 0, asked, answered), ""}
	}
	j := Join{Client: at(1000, 9000), Server: at(103_000, 106_000)} // clocks are 99,500 apart
	if rtt, ok := j.RoundTrip(); !ok || rtt != 5000 {
		t.Errorf("%d, %v", rtt, ok)
	}
	if offset, ok := j.Offset(); !ok || offset != 99_500 {
		t.Errorf("%d, %v", offset, ok)
	}
	if j.OneClock() {
		t.Error("the answer came before it was sent")
	}
	if j := (Join{Client: at(1000, 9000), Server: at(3000, 6000)}); !j.OneClock() {
		t.Error("there is no sign of two clocks")
	}
	j.Client.Numbers.SYNs = 2
	if _, ok := j.RoundTrip(); ok {
		t.Error("which SYN was answered is not known")
	}
}

// TestScan keeps a bounded number of connections that begin alike.
func TestScan(t *testing.T) {
	var m Matcher
	for port := range 4 * maxAlike {
		c := conn("10.0.0.1:1000", "10.0.0.9:2", true, 7, 0, 0, 1, 0)
		c.Server = netip.AddrPortFrom(c.Server.Addr(), uint16(port))
		m.Add(End{c, "a"})
	}
	if n := len(m.byStart[7]); n != maxAlike {
		t.Errorf("%d are looked through", n)
	}
	in := conn("10.0.0.1:1000", "10.0.0.9:100", false, 7, 0, 0, 2, 0)
	m.Add(End{in, "b"})
	if j, ok := m.Join(in); !ok || j.Translated {
		t.Errorf("%v, %+v", ok, j)
	}
}
