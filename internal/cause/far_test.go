package cause

import (
	"fmt"
	"strings"
	"testing"

	"icap/internal/flow"
	"icap/istiofilter"
)

// Times of tests, in nanoseconds.
const (
	ms = 1_000_000
	s  = 1000 * ms
)

// A scene is what two pods show of one connection: web calls db.
type scene struct {
	j      *Judge
	passed []*Finding
	at, to *flow.Conn // as web and db show it
}

// newScene begins a connection at time 0, with the clock of db ahead, on hosts
// of these names.
func newScene(ahead int64, hosts [2]string) *scene {
	sc := &scene{at: conn("10.0.0.1:1000", "10.0.0.2:80"), to: conn("10.0.0.1:1000", "10.0.0.2:80")}
	sc.j = NewJudge(func(f *Finding) { sc.passed = append(sc.passed, f) })
	sc.at.Out, sc.to.In = true, true
	sc.at.Host, sc.to.Host = hosts[0], hosts[1]
	sc.at.Wire, sc.to.Wire = "web", "db"
	for i, c := range []*flow.Conn{sc.at, sc.to} {
		c.Proto = flow.ProtoTCP
		d := int64(i) * (ms + ahead) // a millisecond on the way
		c.Numbers = flow.Numbers{Client: 7, HasClient: true, Server: 9, HasServer: true, Asked: ms + d, Answered: 5*ms - int64(i)*2*ms + d, SYNs: 1}
	}
	return sc
}

// begin makes both ends known.
func (sc *scene) begin() {
	sc.j.Begin("web", Where{istiofilter.OutboundWire, true}, sc.at)
	sc.j.Begin("db", Where{istiofilter.InboundWire, true}, sc.to)
}

// see tells of an event at web's end, or at db's.
func (sc *scene) see(pod string, e flow.Event) {
	w := Where{istiofilter.OutboundWire, true}
	e.Conn = sc.at
	if pod == "db" {
		w.Leg, e.Conn = istiofilter.InboundWire, sc.to
	}
	e.Sent = e.ByClient == (pod == "web")
	e.Received = !e.Sent
	sc.j.Heard(e.Conn.Host, pod, e.Time)
	sc.j.See(pod, w, &e)
}

// end says that both hosts are captured until a time, and returns the finding
// on an event at web's end.
func (sc *scene) end(t *testing.T, until int64, kind flow.Kind) *Finding {
	t.Helper()
	for _, c := range []*flow.Conn{sc.at, sc.to} {
		sc.j.Heard(c.Host, c.Wire, until)
	}
	sc.j.Flush()
	for _, f := range sc.passed {
		if f.Pod == "web" && f.Kind == kind {
			return f
		}
	}
	t.Fatal("no finding")
	return nil
}

// is compares a finding with words.
func (f *Finding) is(t *testing.T, who string, sure Certainty, p Passage, why string) {
	t.Helper()
	if f.Who != who || f.Sure != sure || f.Passage != p || !strings.Contains(f.Why, why) {
		t.Errorf("%s by %s (%s), %q: %s [%s]", f.Event.Kind, f.Who, f.Sure, f.Passage, f.Why, f.Evidence)
	}
}

// one is a capture of one host.
func one() [2]string { return [2]string{} }

func TestPeerOrMiddlebox(t *testing.T) {
	rst := flow.Event{Kind: flow.Reset, Time: 2 * s, Bare: true, Terse: true, Seq: 50}
	t.Run("the peer", func(t *testing.T) {
		sc := newScene(0, one())
		sc.begin()
		sent := rst
		sent.Time -= ms
		sc.see("db", sent)
		sc.see("web", rst)
		f := sc.end(t, 3*s, flow.Reset)
		f.is(t, "peer's kernel", Certain, Arrived, "kernel of db: the proxy has no such connection")
		if !f.HasTook || f.Took != ms || f.OtherPod != "db" || f.Twin == nil || f.Twin.Pod != "db" || f.Twin.Passage != Arrived {
			t.Errorf("%+v", f.Far)
		}
	})
	t.Run("another number", func(t *testing.T) {
		sc := newScene(0, one())
		sc.begin()
		sent := rst
		sent.Seq++
		sc.see("db", sent)
		sc.see("web", rst)
		sc.end(t, 3*s, flow.Reset).is(t, "middlebox", Certain, Forged, "in the name of the peer")
	})
	t.Run("nobody captured db", func(t *testing.T) {
		sc := newScene(0, one())
		sc.j.Begin("web", Where{istiofilter.OutboundWire, true}, sc.at)
		sc.see("web", rst)
		sc.end(t, 3*s, flow.Reset).is(t, "peer or middlebox", Certain, Unknown, "or somebody on the way")
	})
	t.Run("the capture of db's host has ended", func(t *testing.T) {
		sc := newScene(0, [2]string{"a", "b"})
		sc.begin()
		sc.j.Heard("b", "db", s)
		sc.see("web", rst)
		sc.j.Flush()
		sc.passed[0].is(t, "peer or middlebox", Certain, Unknown, "or somebody on the way")
	})
	t.Run("at the end of the capture", func(t *testing.T) {
		for wire, want := range map[string]string{"db": "middlebox", "lo": "peer or middlebox"} {
			sc := newScene(0, one())
			sc.begin()
			sc.see("web", rst)
			sc.j.Heard("", wire, 2*s+ms)
			sc.j.Flush()
			if f := sc.passed[0]; f.Who != want || f.OtherPod != "db" {
				t.Errorf("by %s", f.Who)
			}
		}
	})
	t.Run("db's end was seen later", func(t *testing.T) {
		sc := newScene(0, one())
		sc.to.Start = 2*s + 1
		sc.begin()
		sc.see("web", rst)
		sc.end(t, 9*s, flow.Reset).is(t, "peer or middlebox", Certain, Unknown, "")
	})
	t.Run("no room", func(t *testing.T) {
		sc := newScene(0, one())
		sc.begin()
		sc.see("web", flow.Event{Kind: flow.NoRoom, Time: 2 * s})
		sc.end(t, 9*s, flow.NoRoom).is(t, "peer", Certain, Unknown, "does not read")
	})
	t.Run("the capture of db has lost packets", func(t *testing.T) {
		sc := newScene(0, one())
		sc.begin()
		sc.j.Missed("db", 2*s)
		sc.see("web", rst)
		sc.end(t, 3*s, flow.Reset).is(t, "middlebox", Likely, Forged, "")
	})
	t.Run("clocks are five seconds apart", func(t *testing.T) {
		for _, ahead := range []int64{5 * s, -5 * s} {
			sc := newScene(ahead, [2]string{"a", "b"})
			sc.begin()
			sent := rst
			sent.Time += ahead - ms
			if ahead < 0 {
				sc.see("db", sent)
			}
			sc.see("web", flow.Event{Kind: flow.Opening, Time: ms, ByClient: true}) // shows the skew
			sc.see("web", rst)
			if ahead > 0 {
				sc.see("web", flow.Event{Kind: flow.Retransmits, Time: 4 * s, ByClient: true})
				sc.see("db", sent)
			}
			f := sc.end(t, 20*s, flow.Reset)
			f.is(t, "peer's kernel", Certain, Arrived, "")
			if f.HasTook {
				t.Error("two clocks tell how long it was on its way")
			}
		}
	})
	t.Run("one that is lost", func(t *testing.T) {
		for until, want := range map[int64]Passage{3 * s: Lost, 2 * s: Unknown} {
			sc := newScene(0, one())
			sc.begin()
			sent := rst
			sent.ByClient = true
			sc.see("web", sent)
			sc.end(t, until, flow.Reset).is(t, "pod's kernel", Likely, want, "")
		}
	})
}

// TestNeverThere judges connections that did not come to the pod that they were
// for, which was captured.
func TestNeverThere(t *testing.T) {
	for _, test := range []struct {
		e    flow.Event
		who  string
		want Passage
		why  string
	}{
		{flow.Event{Kind: flow.NoAnswer, Time: 10 * s, ByClient: true, Waited: 8 * s}, "nobody", Lost, "never comes to db"},
		{flow.Event{Kind: flow.Opening, Time: 2 * s, ByClient: true}, "proxy", Lost, ""},
		{flow.Event{Kind: flow.Retransmits, Time: 9 * s, ByClient: true}, "proxy", Lost, "SYN again"},
		{flow.Event{Kind: flow.Reset, Time: 2 * s, Bare: true, Refusal: true}, "firewall on the way", Forged, "rejects connections to port 80"},
		{flow.Event{Kind: flow.Undelivered, Time: 2 * s, Complaint: flow.Complaint{Version: 4, Type: 3, Code: 13}}, "router or firewall on the way", Forged, "prohibits"},
	} {
		sc := newScene(0, one())
		sc.to.Client = conn("10.0.0.7:1", "10.0.0.2:80").Client // another connection
		sc.to.Numbers.Client = 8
		sc.begin()
		sc.see("web", test.e)
		sc.end(t, 20*s, test.e.Kind).is(t, test.who, Certain, test.want, test.why)
	}
}

// TestUnanswered tells a SYN that is not answered from an answer that is lost.
func TestUnanswered(t *testing.T) {
	for answered, want := range map[bool]string{true: "its answer is lost between the pods", false: "db gets the SYN and drops it"} {
		sc := newScene(0, one())
		sc.at.Numbers.HasServer, sc.at.Numbers.Answered = false, 0
		sc.to.Numbers.HasServer = answered
		sc.begin()
		sc.see("web", flow.Event{Kind: flow.NoAnswer, Time: 10 * s, ByClient: true, Waited: 8 * s})
		f := sc.end(t, 20*s, flow.NoAnswer)
		if f.Sure != Certain || !strings.Contains(f.Why, want) || (f.Passage == Lost) != answered {
			t.Errorf("%+v", f)
		}
	}
}

// TestRepeated tells lost segments from lost acknowledgements.
func TestRepeated(t *testing.T) {
	for got, want := range map[uint64]string{0: "what it sends to db is lost between the pods", 4: "though db has got all of it"} {
		sc := newScene(0, one())
		sc.begin()
		sc.at.Up.Retransmits, sc.to.Up.Retransmits = 4, got
		sc.see("web", flow.Event{Kind: flow.Retransmits, Time: 2 * s, ByClient: true})
		if f := sc.end(t, 20*s, flow.Retransmits); !strings.Contains(f.Why, want) || f.OtherPod != "db" {
			t.Errorf("%d: %s", got, f.Why)
		}
	}
}

// TestChain follows a reset of db's app to the app of web, whichever pod's
// packets come first.
func TestChain(t *testing.T) {
	inApp, call := conn("127.0.0.6:2000", "10.0.0.2:80"), conn("10.0.0.1:3000", "10.96.0.1:80")
	for _, ahead := range []int64{0, 2 * ms} {
		sc := newScene(ahead, [2]string{"a", "b"})
		sc.at.Down.Packets = 1 // the SYN was answered
		sc.begin()
		sc.see("web", flow.Event{Kind: flow.Opening, Time: ms, ByClient: true})
		type step struct {
			at  int64
			see func(at int64)
		}
		db := func(at int64) {
			sc.j.See("db", Where{istiofilter.InboundApp, true}, &flow.Event{Kind: flow.Reset, Time: at, Conn: inApp})
			sc.see("db", flow.Event{Kind: flow.Closing, Time: at, Seq: 60})
		}
		web := func(at int64) {
			sc.see("web", flow.Event{Kind: flow.Closing, Time: at, Seq: 60})
			sc.j.See("web", Where{istiofilter.OutboundApp, true}, &flow.Event{Kind: flow.Closing, Time: at + ms/10, Conn: call})
		}
		steps := []step{{s, db}, {s + ms, web}}
		if ahead > ms {
			steps = []step{{s + ms, web}, {s + ahead, db}}
		}
		for _, step := range steps {
			step.see(step.at)
		}
		sc.end(t, 20*s, flow.Closing)
		var got []string
		for _, f := range sc.passed {
			if f.Because != "" {
				got = append(got, fmt.Sprintf("%s of %s: %s", f.Leg, f.Pod, f.Because))
			}
			if f.Kind == flow.Reset && !strings.Contains(f.Impact, "the proxy of web then sent a FIN to the app") {
				t.Errorf("%d: impact %q", ahead, f.Impact)
			}
		}
		const root = "a RST by app on 127.0.0.6:2000 > 10.0.0.2:80 (inbound-app"
		all := strings.Join(got, "\n")
		if len(got) != 3 || strings.Count(all, root) != 3 || strings.Count(all, root+" of db)") != 2 || !strings.Contains(all, "outbound-app of web: likely because of a FIN by peer") {
			t.Errorf("%d ns ahead:\n%s", ahead, all)
		}
	}
}
