package cause

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/flow"
	"icap/istiofilter"
)

func conn(client, server string) *flow.Conn {
	return &flow.Conn{Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server)}
}

var (
	wire = conn("10.0.0.1:40000", "10.0.0.5:8080")
	up   = conn("10.0.0.5:40000", "10.0.0.9:9080")
	lo   = conn("127.0.0.6:40000", "10.0.0.5:8080")
	call = conn("10.0.0.5:50000", "10.96.0.1:80")
)

func TestVerdicts(t *testing.T) {
	leaking := conn("10.0.0.1:40000", "10.0.0.5:15006")
	leaking.Guessed = true
	past, halved := conn("10.0.0.5:50000", "127.0.0.1:15001"), conn("10.0.0.5:50000", "127.0.0.1:15001")
	past.Guessed, halved.Guessed = true, true
	elsewhere := conn("10.0.0.1:40000", "10.0.0.5:15006") // where rules redirect to other ports
	elsewhere.Guessed, elsewhere.Redirects = true, []uint16{16001, 16006}
	for _, c := range []*flow.Conn{leaking, past, halved} {
		c.Redirects = []uint16{15001, 15006}
	}
	past.Down.Packets, halved.Up.Packets = 1, 1
	torn := conn("127.0.0.6:40000", "10.0.0.5:8080")
	torn.Torn = true
	for _, test := range []struct {
		name     string
		leg      istiofilter.Leg
		event    flow.Event
		who      string
		why      string
		sure     Certainty
		harmless bool
	}{
		{"app aborts", istiofilter.InboundApp, flow.Event{Kind: flow.Reset, Conn: lo},
			"app", "aborted the connection", Certain, false},
		{"proxy aborts", istiofilter.OutboundApp, flow.Event{Kind: flow.Reset, Conn: call},
			"proxy", "aborted the connection", Certain, false},
		{"app aborts its call", istiofilter.OutboundApp, flow.Event{Kind: flow.Reset, Conn: call, ByClient: true},
			"app", "aborted the connection", Certain, false},
		{"peer aborts", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true},
			"peer", "aborted the connection", Likely, false},
		{"client aborts", istiofilter.InboundWire, flow.Event{Kind: flow.Reset, Conn: wire, ByClient: true, Received: true},
			"peer", "aborted the connection", Likely, false},
		{"no listener behind the proxy", istiofilter.InboundApp, flow.Event{Kind: flow.Reset, Conn: lo, Bare: true, Acks: true, Refusal: true},
			"pod's kernel", "nothing listens on port 8080, or a rule in the pod", Certain, false},
		{"no listener past the proxy", istiofilter.Direct, flow.Event{Kind: flow.Reset, Conn: wire, Bare: true, Acks: true, Refusal: true, Sent: true},
			"pod's kernel", "nothing listens on port 8080", Certain, false},
		{"refused by the peer", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Bare: true, Acks: true, Refusal: true, Received: true},
			"peer's kernel, or a firewall on the way", "nothing listens on port 9080, or a rule", Certain, false},
		{"middlebox", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Bare: true, Received: true},
			"peer or middlebox", "or somebody on the way", Certain, false},
		{"forged", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Bare: true, Received: true, Astray: true},
			"peer or middlebox", "forged", Certain, false},
		{"forged with another TTL", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true, TTL: 61, UsualTTL: 64},
			"peer or middlebox", "somebody on the way", Certain, false},
		{"unread data after a FIN", istiofilter.InboundWire, flow.Event{Kind: flow.Reset, Conn: wire, AfterFIN: true, Sent: true},
			"proxy", "for good after its FIN", Certain, false},
		{"keepalives in vain", istiofilter.InboundApp, flow.Event{Kind: flow.Reset, Conn: lo, ByClient: true, Probes: 9},
			"proxy", "no keepalive", Certain, false},
		{"legs in disorder", istiofilter.InboundApp, flow.Event{Kind: flow.Closing, Conn: torn}, "app", "closed", Likely, false},
		{"nobody answered yet", istiofilter.OutboundWire, flow.Event{Kind: flow.NoAnswer, Conn: up, ByClient: true, Waited: 5e8},
			"nobody", "answers the proxy", Likely, false},
		{"data after close, here", istiofilter.InboundWire, flow.Event{Kind: flow.Reset, Conn: wire, Bare: true, AfterFIN: true, Sent: true},
			"pod's kernel", "data came after the proxy had closed", Certain, true},
		{"data after close, there", istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Bare: true, AfterFIN: true, Received: true},
			"peer's kernel", "data came after the peer had closed", Likely, true},
		{"after everything", istiofilter.InboundWire, flow.Event{Kind: flow.Reset, Conn: wire, AfterFIN: true, AfterOtherFIN: true, Sent: true},
			"proxy", "", Certain, true},
		{"leak", istiofilter.Direct, flow.Event{Kind: flow.Reset, Conn: leaking, Bare: true, ByClient: true, Received: true},
			"peer", "istio/istio#36489", Likely, false},
		{"no leak: another proxy's port", istiofilter.Direct, flow.Event{Kind: flow.Reset, Conn: elsewhere, Bare: true, ByClient: true, Received: true},
			"peer or middlebox", "no such connection", Certain, false},
		{"leaked FIN", istiofilter.Self, flow.Event{Kind: flow.Closing, Conn: past, ByClient: false},
			"proxy", "istio/istio#36489", Likely, false},
		{"no leak: the answer is missing", istiofilter.Self, flow.Event{Kind: flow.Closing, Conn: halved, ByClient: true},
			"app", "closed", Certain, false},
		{"blackhole", istiofilter.OutboundWire, flow.Event{Kind: flow.NoAnswer, Conn: up, ByClient: true, Waited: 7_500_000_000},
			"nobody", "answers the proxy", Certain, false},
		{"full", istiofilter.InboundApp, flow.Event{Kind: flow.NoRoom, Conn: lo}, "app", "does not read", Certain, false},
		{"lossy", istiofilter.OutboundWire, flow.Event{Kind: flow.Retransmits, Conn: up, ByClient: true}, "proxy", "packets to the peer", Certain, false},
		{"closes", istiofilter.InboundApp, flow.Event{Kind: flow.Closing, Conn: lo}, "app", "closed the connection", Certain, false},
		{"closes too", istiofilter.InboundApp, flow.Event{Kind: flow.Closing, Conn: lo, ByClient: true, AfterOtherFIN: true},
			"proxy", "in its turn", Certain, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := Of(Where{test.leg, true}, &test.event)
			if v.Who != test.who || !strings.Contains(v.Why, test.why) || v.Sure != test.sure || v.Harmless != test.harmless || v.Evidence == "" {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestComplaints reads ICMP of routers, peers and the pod's own kernel.
func TestComplaints(t *testing.T) {
	own, peer, router := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.254")
	query := conn("10.0.0.5:40000", "10.0.0.9:53")
	query.Proto = flow.ProtoUDP
	tcp := conn("10.0.0.5:40000", "10.0.0.9:9080")
	tcp.Proto = flow.ProtoTCP
	six := conn("[fd00::5]:40000", "[fd00::9]:9080")
	six.Proto = flow.ProtoTCP
	asked := conn("10.0.0.9:40000", "10.0.0.5:53")
	asked.Proto = flow.ProtoUDP
	for _, test := range []struct {
		leg  istiofilter.Leg
		c    *flow.Conn
		said flow.Complaint
		who  string
		sure Certainty
		why  string
	}{
		{istiofilter.Direct, query, flow.Complaint{By: peer, Version: 4, Type: 3, Code: 3},
			"peer's kernel, or a firewall on the way", Certain, "nothing listens on UDP port 53, or a rule rejects it"},
		{istiofilter.OutboundWire, tcp, flow.Complaint{By: peer, Version: 4, Type: 3, Code: 3},
			"peer's kernel, or a firewall on the way", Certain, "a rule rejects connections to port 9080: where nothing listens a kernel sends a RST"},
		{istiofilter.OutboundWire, tcp, flow.Complaint{By: router, Version: 4, Type: 3, Code: 13},
			"router or firewall on the way", Likely, "a firewall or a route prohibits packets to 10.0.0.9:9080"},
		{istiofilter.OutboundWire, tcp, flow.Complaint{By: own, Version: 4, Type: 3, Code: 1},
			"pod's kernel", Certain, "10.0.0.9 does not answer its neighbours, or a rule rejects it"},
		{istiofilter.OutboundWire, tcp, flow.Complaint{By: router, Version: 4, Type: 3, Code: 4, MTU: 1400},
			"router or firewall on the way", Likely, "packets to 10.0.0.9 have to be smaller: at most 1400 bytes go through"},
		{istiofilter.OutboundWire, tcp, flow.Complaint{By: router, Version: 4, Type: 11},
			"router or firewall on the way", Likely, "packets to 10.0.0.9 go in circles, or over too many routers"},
		{istiofilter.OutboundWire, six, flow.Complaint{By: six.Server.Addr(), Version: 6, Type: 1, Code: 1},
			"peer's kernel, or a firewall on the way", Certain, "a firewall or a route prohibits packets to [fd00::9]:9080"},
		{istiofilter.OutboundWire, six, flow.Complaint{By: router, Version: 6, Type: 1},
			"router or firewall on the way", Likely, "there is no route to fd00::9"},
		{istiofilter.Direct, asked, flow.Complaint{By: own, Version: 4, Type: 3, Code: 3},
			"pod's kernel", Certain, "nothing listens on UDP port 53, or a rule rejects it"},
	} {
		e := flow.Event{Kind: flow.Undelivered, Conn: test.c, Received: test.c != asked, Sent: test.c == asked, Complaint: test.said}
		v := Of(Where{test.leg, true}, &e)
		if v.Who != test.who || v.Sure != test.sure || v.Why != test.why || !strings.Contains(v.Evidence, test.said.By.String()) {
			t.Errorf("%+v: got %+v", test, v)
		}
	}
}

// TestExplain takes the kernel's reasons into verdicts.
func TestExplain(t *testing.T) {
	event := &flow.Event{Kind: flow.Reset, Conn: lo, Bare: true, Acks: true, Refusal: true}
	for _, test := range []struct{ reason, why string }{
		{"", "nothing listens on port 8080, or a rule in the pod rejects it"},
		{"NO_SOCKET", "nothing listens on port 8080"},
		{"TCP_TIMEWAIT_SOCKET", "a packet came for a connection that has been closed"},
		{"NEW_ONE", "nothing listens on port 8080, or a rule in the pod rejects it"},
	} {
		v := Of(Where{istiofilter.InboundApp, true}, event)
		v.Explain(event, test.reason)
		if test.reason == "" {
			d := v
			d.Disown(event)
			if d.Why != "a rule in the pod rejects connections to port 8080" || d.Sure != Likely {
				t.Errorf("%+v", d)
			}
		}
		if v.Why != test.why || v.Reason != test.reason || !strings.HasSuffix(v.Evidence, test.reason) {
			t.Errorf("%s: %+v", test.reason, v)
		}
	}
}

func TestParts(t *testing.T) {
	local := conn("127.0.0.1:40000", "127.0.0.1:15000")
	for _, test := range []struct {
		where  Where
		event  flow.Event
		client Part
		server Part
	}{
		{Where{istiofilter.Admin, true}, flow.Event{Conn: wire, ByClient: true, Received: true}, Peer, Proxy},
		{Where{istiofilter.Admin, true}, flow.Event{Conn: local, ByClient: true, Received: true}, Pod, Proxy},
		{Where{istiofilter.Direct, true}, flow.Event{Conn: up, ByClient: true, Sent: true}, Pod, Peer},
		{Where{istiofilter.Direct, true}, flow.Event{Conn: up, Received: true}, Pod, Peer},
		{Where{istiofilter.Direct, true}, flow.Event{Conn: wire, Sent: true}, Peer, Pod},
		{Where{istiofilter.HBONE, true}, flow.Event{Conn: wire, ByClient: true, Received: true}, Peer, Proxy},
		{Where{istiofilter.SelfWire, true}, flow.Event{Conn: wire}, Proxy, Proxy},
		{Where{}, flow.Event{Conn: wire}, Client, Server},
		{Where{}, flow.Event{Conn: wire, Sent: true}, Peer, Server},
	} {
		if client, server := test.where.Parts(&test.event); client != test.client || server != test.server {
			t.Errorf("%v %+v: %s and %s, want %s and %s", test.where, test.event, client, server, test.client, test.server)
		}
	}
}

// TestImpact has the proxy pass on what goes wrong.
func TestImpact(t *testing.T) {
	const ms = 1_000_000
	open := func(leg istiofilter.Leg, c *flow.Conn) step {
		return step{leg, flow.Event{Kind: flow.Opening, Conn: c, ByClient: true}}
	}
	other := conn("10.0.0.5:50001", "10.96.0.1:80")
	for _, test := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"the upstream is reset", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call}},
		}, "likely, the proxy sent a FIN to the app on 10.0.0.5:50000 > 10.96.0.1:80 (outbound-app) 10ms later"},
		{"others could be meant", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundApp, other), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Reset, Conn: call}},
		}, "possibly, the proxy sent a RST to the app on 10.0.0.5:50000 > 10.96.0.1:80 (outbound-app) 10ms later"},
		{"the app refuses", []step{
			open(istiofilter.InboundWire, wire), open(istiofilter.InboundApp, lo),
			{istiofilter.InboundApp, flow.Event{Kind: flow.Reset, Conn: lo, Bare: true, Refusal: true}},
			{istiofilter.InboundWire, flow.Event{Kind: flow.Closing, Conn: wire}},
		}, "likely, the proxy sent a FIN to the peer on 10.0.0.1:40000 > 10.0.0.5:8080 (inbound-wire) 10ms later"},
		{"the app closes by itself", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call, ByClient: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call, AfterOtherFIN: true}},
		}, ""},
		{"nothing answers the proxy", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call}},
			{istiofilter.OutboundWire, flow.Event{Kind: flow.NoAnswer, Conn: up, ByClient: true}},
		}, "likely, the proxy sent a FIN to the app on 10.0.0.5:50000 > 10.96.0.1:80 (outbound-app) 10ms later"},
		{"the tunnel is reset", []step{
			open(istiofilter.OutboundApp, call),
			{istiofilter.HBONE, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call}},
		}, "likely, the proxy sent a FIN to the app on 10.0.0.5:50000 > 10.96.0.1:80 (outbound-app) 10ms later"},
		{"another direction", []step{
			open(istiofilter.InboundWire, wire),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.InboundApp, flow.Event{Kind: flow.Closing, Conn: lo, ByClient: true}},
		}, ""},
		{"the kernel refuses by itself", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Reset, Conn: call, Bare: true, Acks: true, Refusal: true}},
		}, ""},
		{"harmless", []step{
			open(istiofilter.OutboundApp, call), open(istiofilter.OutboundWire, up),
			{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true, AfterFIN: true, Bare: true}},
			{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call}},
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var impacts, order []string
			j := NewJudge(func(f *Finding) {
				order = append(order, fmt.Sprint(f.Time))
				if f.Impact != "" {
					impacts = append(impacts, f.Impact)
				}
			})
			for i, s := range test.steps {
				s.event.Time = int64(i+1) * 10 * ms
				j.See("pod", Where{s.leg, true}, &s.event)
			}
			j.Flush()
			if got := strings.Join(impacts, "; "); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if len(order) != len(test.steps) {
				t.Errorf("%d findings of %d events", len(order), len(test.steps))
			}
		})
	}
}

type step struct {
	leg   istiofilter.Leg
	event flow.Event
}

// TestJudgeWaits keeps findings for a second, and their order.
func TestJudgeWaits(t *testing.T) {
	var passed []int64
	j := NewJudge(func(f *Finding) { passed = append(passed, f.Time) })
	for _, at := range []int64{0, 4e8, 9e8, 15e8, 30e8} {
		j.See("", Where{}, &flow.Event{Kind: flow.Opening, Conn: wire, Time: at})
	}
	if got := fmt.Sprint(passed); got != "[0 400000000 900000000 1500000000]" {
		t.Errorf("passed on %s", got)
	}
	j.Flush()
	if len(passed) != 5 {
		t.Errorf("%d of 5", len(passed))
	}
}
