package istiofilter_test

import (
	"context"
	"maps"
	"net/netip"
	"testing"
	"time"

	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
)

// A traffic case is a request, and how many connections it makes on each leg.
type traffic struct {
	do   func(ctx context.Context, l *lab.Lab) (lab.Exchange, error)
	legs map[istiofilter.Leg]int
	fail bool // fail means that there is no answer.
}

// one is one connection on each leg.
func one(legs ...istiofilter.Leg) map[istiofilter.Leg]int {
	m := make(map[istiofilter.Leg]int)
	for _, leg := range legs {
		m[leg] = 1
	}
	return m
}

// fetch is an ordinary request.
func fetch(from func(*lab.Lab) *lab.Pod, to func(*lab.Lab) netip.AddrPort) func(context.Context, *lab.Lab) (lab.Exchange, error) {
	return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) {
		return l.Do(ctx, from(l), lab.Request{To: to(l), Path: "/"})
	}
}

func client(l *lab.Lab) *lab.Pod { return l.Client }
func app(l *lab.Lab) *lab.Pod    { return l.App }

// at is a port of the app's pod over either IP version.
func at(v6 bool, port uint16) func(*lab.Lab) netip.AddrPort {
	return func(l *lab.Lab) netip.AddrPort {
		if v6 {
			return netip.AddrPortFrom(l.App.Addr6, port)
		}
		return netip.AddrPortFrom(l.App.Addr, port)
	}
}

const appPort = 40000

var (
	inboundLegs  = one(istiofilter.InboundWire, istiofilter.InboundApp)
	outboundLegs = one(istiofilter.OutboundWire, istiofilter.OutboundApp)
	serviceLegs  = one(istiofilter.OutboundApp, istiofilter.SelfWire, istiofilter.InboundApp)
)

// cases are what every lab can do.
func cases() map[string]traffic {
	by := func(f func(*lab.Lab, context.Context, string) (lab.Exchange, error)) func(context.Context, *lab.Lab) (lab.Exchange, error) {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return f(l, ctx, "/") }
	}
	bare := func(f func(*lab.Lab, context.Context) (lab.Exchange, error)) func(context.Context, *lab.Lab) (lab.Exchange, error) {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return f(l, ctx) }
	}
	inbound := func(mtls bool) func(context.Context, *lab.Lab) (lab.Exchange, error) {
		return func(ctx context.Context, l *lab.Lab) (lab.Exchange, error) { return l.Inbound(ctx, mtls, "/") }
	}
	return map[string]traffic{
		"inbound-mtls":         {do: inbound(true), legs: inboundLegs},
		"inbound-plain":        {do: inbound(false), legs: inboundLegs},
		"outbound-mesh":        {do: by((*lab.Lab).OutboundMesh), legs: outboundLegs},
		"outbound-passthrough": {do: by((*lab.Lab).OutboundPassthrough), legs: outboundLegs},
		"self-direct":          {do: by((*lab.Lab).SelfDirect), legs: one(istiofilter.Self)},
		"self-service":         {do: by((*lab.Lab).SelfService), legs: serviceLegs},
		"localhost":            {do: by((*lab.Lab).Localhost), legs: one(istiofilter.Self)},
		"health":               {do: bare((*lab.Lab).Health), legs: one(istiofilter.Admin)},
		"metrics":              {do: fetch(client, at(false, lab.PortPrometheus)), legs: one(istiofilter.Admin)},
		"agent":                {do: fetch(client, at(false, lab.PortAgent)), legs: one(istiofilter.Admin)},
		"admin":                {do: bare((*lab.Lab).Admin), legs: one(istiofilter.Admin)},
		"own agent":            {do: fetch(app, at(false, lab.PortAgent)), legs: one(istiofilter.Admin)},
		"reset":                {do: bare((*lab.Lab).Reset), legs: inboundLegs, fail: true},
		"refused":              {do: bare((*lab.Lab).Refused), legs: inboundLegs, fail: true},
		"admin from outside":   {do: fetch(client, at(false, lab.PortDebug)), legs: inboundLegs, fail: true},
		"loop":                 {do: fetch(client, at(false, lab.PortInbound)), legs: one(istiofilter.InboundWire), fail: true},
		"tunnel":               {do: fetch(client, at(false, 15008)), legs: one(istiofilter.HBONE), fail: true},
	}
}

// cases6 are those over IPv6, with rules for it or without.
func cases6(rules lab.Rules) map[string]traffic {
	if rules != lab.DualStack {
		return map[string]traffic{
			"inbound-6": {do: fetch(client, at(true, appPort)), legs: one(istiofilter.Direct)},
			"outbound-6": {do: fetch(app, func(l *lab.Lab) netip.AddrPort {
				return netip.AddrPortFrom(l.Client.Addr6, lab.OutsidePort)
			}), legs: one(istiofilter.Direct)},
			"self-direct-6": {do: fetch(app, at(true, appPort)), legs: one(istiofilter.Self)},
		}
	}
	return map[string]traffic{
		"inbound-plain-6":        {do: fetch(client, at(true, appPort)), legs: inboundLegs},
		"outbound-mesh-6":        {do: fetch(app, func(l *lab.Lab) netip.AddrPort { return l.Service6 }), legs: outboundLegs},
		"outbound-passthrough-6": {do: fetch(app, func(l *lab.Lab) netip.AddrPort { return l.Outside6 }), legs: outboundLegs},
		"self-direct-6":          {do: fetch(app, at(true, appPort)), legs: one(istiofilter.Self)},
		"self-service-6":         {do: fetch(app, func(l *lab.Lab) netip.AddrPort { return l.OwnService6 }), legs: serviceLegs},
		"health-6":               {do: fetch(client, at(true, lab.PortHealth)), legs: one(istiofilter.Admin)},
	}
}

// truth is the leg that a packet is on when nothing but one request runs. It
// knows the ends of the request's connections from the requester and from
// the app that answered.
func (c traffic) truth(x lab.Exchange, r *record) istiofilter.Leg {
	onLo := istiofilter.Set(istiofilter.InboundApp, istiofilter.OutboundApp, istiofilter.SelfWire)
	if r.Proto != flow.ProtoTCP {
		return istiofilter.Direct
	}
	if len(c.legs) == len(serviceLegs) {
		switch {
		case r.touches(x.Local.String()):
			return istiofilter.OutboundApp
		case r.touches(x.Peer.String()):
			return istiofilter.InboundApp
		default:
			return istiofilter.SelfWire
		}
	}
	for leg := range c.legs {
		if len(c.legs) == 1 || onLo.Has(leg) == r.Loopback {
			return leg
		}
	}
	return istiofilter.Direct
}

// TestLab runs every case under every rule set, one after the other, and
// classifies each packet.
func TestLab(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Today, lab.Article, lab.DualStack} {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules, AppPort: appPort})
			pod := readPod(t, l.App.NS)
			t.Logf("%+v", pod)
			j := newJudge(t, namedPod{rules.String(), pod})
			all := cases()
			if l.App.Addr6.IsValid() {
				maps.Copy(all, cases6(rules))
			}
			for name, c := range all {
				t.Run(name, func(t *testing.T) { c.run(t, l, j) })
			}
		})
	}
}

func (c traffic) run(t *testing.T, l *lab.Lab, j *judge) {
	t.Helper()
	var x lab.Exchange
	records := capturePod(t, l, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var err error
		if x, err = c.do(ctx, l); err != nil {
			t.Error(err)
		}
	})
	if (x.Err != "") != c.fail {
		t.Fatalf("exchange: %+v", x)
	}
	opened := make(map[istiofilter.Leg]int)
	for i := range records {
		r := &records[i]
		leg := j.judgeFrame(t, r.frame, r.Packet)
		if want := c.truth(x, r); leg != want {
			t.Errorf("packet %d of %d, %+v, is on %v, want %v", i, len(records), r.Packet, leg, want)
		}
		if r.opens() {
			opened[leg]++
		}
	}
	if !maps.Equal(opened, c.legs) {
		t.Errorf("connections are %v, want %v", opened, c.legs)
	}
	checkAlone(t, j, records)
}

// checkAlone captures each selection of legs as if by its filter alone: what
// the filter leaves out must not be what the classifier needs.
func checkAlone(t *testing.T, j *judge, records []record) {
	t.Helper()
	whole := istiofilter.NewClassifier(j.pod.Pod)
	legs := make([]istiofilter.Leg, len(records))
	for i := range records {
		legs[i] = whole.Leg(&records[i].Packet)
	}
	for _, f := range j.filters {
		c := istiofilter.NewClassifier(j.pod.Pod)
		for i := range records {
			r := &records[i]
			if r.Loopback != f.Interface.Loopback || f.program.Match(r.frame, len(r.frame)) == 0 {
				continue
			}
			leg := c.Leg(&r.Packet)
			if leg != legs[i] && (f.Legs.Has(leg) || f.Legs.Has(legs[i])) {
				t.Errorf("behind %q packet %d, %+v, is on %v, not on %v", f.Expr, i, r.Packet, leg, legs[i])
			}
		}
	}
}
