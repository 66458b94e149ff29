package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// A Case is a kind of traffic of a pod.
type Case struct {
	Name string
	Pod  *Pod // Pod is productpage's or the gateway.

	// Legs are those of the flows in the pod, one for each flow, sorted.
	Legs []string

	// Fail means that the last exchange has no answer.
	Fail bool

	do      traffic
	service bool // service means that there has to be a service to call.
}

// traffic makes a case's requests. It calls begin at the moment from which
// on a capture is to see it; what it opens before is older than the capture.
type traffic func(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error)

// A Result is what a case has come to.
type Result struct {
	Exchanges []Exchange
	Flows     []Flow // Flows are those in the case's pod.
}

// Run makes the traffic of a case. It calls begin, which may be nil, when
// everything that has to be older than a capture is there. No other traffic
// may run in the pod at the same time if Flows are to be those of the case.
func (l *Lab) Run(ctx context.Context, c Case, begin func() error) (Result, error) {
	before, err := l.reports(ctx)
	if err != nil {
		return Result{}, err
	}
	if begin == nil {
		begin = func() error { return nil }
	}
	var r Result
	if r.Exchanges, err = c.do(ctx, l, begin); err != nil {
		return r, fmt.Errorf("case %s: %w", c.Name, err)
	}
	for i := range r.Exchanges {
		r.Exchanges[i].Case = c.Name
	}
	after, err := l.reports(ctx)
	if err != nil {
		return r, err
	}
	for p := range after {
		after[p] = newer(before[p], after[p])
	}
	r.Flows = flowsOf(c.Pod, after)
	return r, nil
}

// newer takes out of a pod's reports those that were there before. Reports of
// one program are in order, those of two programs are not.
func newer(before, after []Socket) []Socket {
	known := map[Socket]int{}
	for _, s := range before {
		known[s]++
	}
	return slices.DeleteFunc(after, func(s Socket) bool {
		known[s]--
		return known[s] >= 0
	})
}

// Cases lists what productpage's pod can do under the rules of the lab, in an
// order that may be kept.
func (l *Lab) Cases() []Case {
	list := slices.Concat(l.meshCases(), l.adminCases(), l.otherCases(),
		l.dnsCases(), l.failures(), l.olderCases(), l.cases6(), []Case{l.busyCase()})
	if !l.takesOutbound(l.Service) {
		// The addresses of services lead to the proxy or to nobody.
		list = slices.DeleteFunc(list, func(c Case) bool { return c.service })
	}
	return at(l.App, list)
}

// at completes cases of a pod.
func at(p *Pod, list []Case) []Case {
	for i := range list {
		list[i].Pod = p
		slices.Sort(list[i].Legs)
	}
	return list
}

// ask is a case of one request.
func ask(from func(l *Lab) *process, r Request) traffic {
	return func(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error) {
		if err := begin(); err != nil {
			return nil, err
		}
		x, err := from(l).call(ctx, command{Request: r})
		return []Exchange{x}, err
	}
}

// Who makes requests.
func byClient(l *Lab) *process { return l.Client.app }
func byApp(l *Lab) *process    { return l.App.app }
func byProxy(l *Lab) *process  { return l.App.proxy }
func byNode(l *Lab) *process   { return l.Node.app }

// Names that only the proxy knows, and that only the resolver knows.
const (
	hostService = "reviews.default.svc.cluster.local"
	hostOutside = "outside.example.com"
)

// portHTTP is that of the server for metadata that clouds have on nodes.
const portHTTP = 80

// casePath is what cases ask for.
const casePath = "/case"

// get asks an address for casePath.
func getFrom(from func(l *Lab) *process, to netip.AddrPort) traffic {
	return ask(from, Request{To: to, Path: casePath})
}
