package istiofilter_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"icap/bpfc"
	"icap/internal/flow"
	"icap/istiofilter"
)

// A judge knows what must hold between a pod's classifier and its filters.
type judge struct {
	pod        namedPod
	classifier *istiofilter.Classifier
	filters    []judgeFilter
}

type judgeFilter struct {
	istiofilter.Filter
	program *bpfc.Program
}

func newJudge(tb testing.TB, pod namedPod) *judge {
	tb.Helper()
	j := &judge{pod: pod, classifier: istiofilter.NewClassifier(pod.Pod)}
	for _, want := range selections() {
		for _, f := range pod.Filters(want) {
			j.filters = append(j.filters, judgeFilter{f, compile(tb, f.Expr)})
		}
	}
	return j
}

func newJudges(tb testing.TB) (all []*judge) {
	tb.Helper()
	for _, pod := range pods() {
		all = append(all, newJudge(tb, pod))
	}
	return all
}

// judge classifies a packet, and holds the leg against the legs that its
// interface has and against the filters.
func (j *judge) judge(tb testing.TB, p packet) {
	tb.Helper()
	frame := p.frame()
	j.judgeFrame(tb, frame, p.seen())
}

func (j *judge) judgeFrame(tb testing.TB, frame []byte, p istiofilter.Packet) istiofilter.Leg {
	tb.Helper()
	leg := j.classifier.Leg(&p)
	if legs := j.pod.LegsOf(istiofilter.Interface{Loopback: p.Loopback}); !legs.Has(leg) {
		tb.Fatalf("%s: %+v is on %v, which is none of %v", j.pod.name, p, leg, legs)
	}
	for _, f := range j.filters {
		if f.Interface.Loopback != p.Loopback {
			continue
		}
		match, has := f.program.Match(frame, len(frame)) > 0, f.Legs.Has(leg)
		if has && !match {
			tb.Fatalf("%s: %+v is on %v, but %q does not match", j.pod.name, p, leg, f.Expr)
		}
		if f.Exact && match && !has {
			tb.Fatalf("%s: %+v is on %v, but exact %q matches", j.pod.name, p, leg, f.Expr)
		}
	}
	return leg
}

// A chooser makes packets out of choices: those that decide something are
// more frequent than by chance.
type chooser struct {
	choose func(n int) int
}

func (c chooser) packet() packet {
	v6 := c.choose(2) == 1
	p := packet{
		loopback: c.choose(3) > 0,
		sent:     c.choose(2) == 1,
		src:      netip.AddrPortFrom(c.addr(v6), c.port()),
		dst:      netip.AddrPortFrom(c.addr(v6), c.port()),
		flags:    flow.Flags(c.choose(32)),
		fragment: c.choose(16) == 0,
		origin:   istiofilter.Origin(c.choose(4)),
	}
	protos := []uint8{6, 6, 6, 6, 6, 6, 17, 17, 132, 1, 58, 0}
	p.proto = protos[c.choose(len(protos))]
	return p
}

func (c chooser) addr(v6 bool) netip.Addr {
	texts := []string{"10.244.0.11", "10.244.0.11", "192.168.7.2", "127.0.0.1", "127.0.0.6", "127.0.0.2",
		"10.244.0.12", "10.96.0.10", "224.0.0.1", "0.0.0.0", "255.255.255.255"}
	if v6 {
		texts = []string{"fd00::b", "fd00::b", "fe80::b", "::1", "::6", "fd00::c", "ff02::1", "::",
			"::ffff:10.244.0.11", "::ffff:127.0.0.1", "::ffff:127.0.0.6"}
	}
	return netip.MustParseAddr(texts[c.choose(len(texts))])
}

func (c chooser) port() uint16 {
	ports := []uint16{15001, 15006, 15053, 53, 15008, 15000, 15021, 7000, 8080, 40000, 50000, 50001, 0}
	if i := c.choose(len(ports) + 1); i < len(ports) {
		return ports[i]
	}
	return uint16(c.choose(256)<<8 | c.choose(256))
}

// TestFiltersAgree holds filters against the classifier on random packets.
func TestFiltersAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := chooser{r.IntN}
	for _, j := range newJudges(t) {
		for range 20000 {
			j.judge(t, c.packet())
		}
	}
}

// FuzzLeg makes a sequence of packets of the input.
func FuzzLeg(f *testing.F) {
	f.Add([]byte("which leg is this on, and is there a filter for it?"))
	f.Add([]byte{1, 0, 1, 0, 0, 0, 0, 0, 0, 2, 3, 1, 0})
	judges := newJudges(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		old := judges[int(data[0])%len(judges)]
		j := &judge{old.pod, istiofilter.NewClassifier(old.pod.Pod), old.filters}
		data = data[1:]
		c := chooser{func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		}}
		for len(data) > 0 {
			j.judge(t, c.packet())
		}
	})
}

// FuzzLegFrame classifies any bytes as a frame, and a packet with addresses
// that are not even valid.
func FuzzLegFrame(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		r := rand.New(rand.NewPCG(3, 4))
		c := chooser{r.IntN}
		p := c.packet()
		p.src, p.dst, p.proto = netip.AddrPortFrom(c.addr(v6), 1), netip.AddrPortFrom(c.addr(v6), 2), flow.ProtoTCP
		f.Add(p.frame(), uint8(0), true, false)
	}
	all := pods()
	f.Fuzz(func(t *testing.T, frame []byte, pod uint8, loopback, sent bool) {
		p := all[int(pod)%len(all)]
		c := istiofilter.NewClassifier(p.Pod)
		legs := p.LegsOf(istiofilter.Interface{Loopback: loopback})
		seen := decoded(frame, loopback, sent)
		if leg := c.Leg(&seen); !legs.Has(leg) {
			t.Errorf("%+v is on %v, which is none of %v", seen, leg, legs)
		}
		empty := istiofilter.Packet{Loopback: loopback, Sent: sent, Proto: seen.Proto}
		if leg := c.Leg(&empty); !legs.Has(leg) {
			t.Errorf("%+v is on %v, which is none of %v", empty, leg, legs)
		}
	})
}
