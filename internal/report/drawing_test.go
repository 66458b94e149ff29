package report

import (
	"encoding/xml"
	"io"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/sight"
	"icap/istiofilter"
)

// story is a call that the peer resets, in a pod with a hostile name.
func story() []*cause.Finding {
	const pod = `</text><script>alert(1)</script>;end#"`
	at := func(c, s string, leg istiofilter.Leg) *flow.Conn {
		return &flow.Conn{
			Proto: flow.ProtoTCP, Client: netip.MustParseAddrPort(c), Server: netip.MustParseAddrPort(s),
			Place: "lo:" + leg.String() + "@" + pod,
		}
	}
	call := at("10.0.0.5:1000", "10.96.0.1:80", istiofilter.OutboundApp)
	up := at("10.0.0.5:2000", "10.0.0.9:8080", istiofilter.OutboundWire)
	lost := at("10.0.0.5:2001", "10.0.0.9:8080", istiofilter.OutboundWire)
	own := at("10.0.0.5:3000", "10.0.0.5:8080", istiofilter.Self)
	var all []*cause.Finding
	judge := cause.NewJudge(func(f *cause.Finding) { all = append(all, f) })
	for i, e := range []struct {
		leg istiofilter.Leg
		flow.Event
	}{
		{istiofilter.OutboundApp, flow.Event{Kind: flow.Opening, Conn: call, ByClient: true}},
		{istiofilter.OutboundWire, flow.Event{Kind: flow.Opening, Conn: up, ByClient: true}},
		{istiofilter.OutboundWire, flow.Event{Kind: flow.Reset, Conn: up, Received: true, Terse: true}},
		{istiofilter.OutboundApp, flow.Event{Kind: flow.Closing, Conn: call}},
		{istiofilter.OutboundWire, flow.Event{Kind: flow.NoAnswer, Conn: lost, ByClient: true}},
		{istiofilter.Self, flow.Event{Kind: flow.Opening, Conn: own, ByClient: true}},
	} {
		e.Time = int64(i+1) * 1_500_000
		pod := pod
		if e.Conn == own {
			pod = "another"
		}
		judge.See(pod, cause.Where{Leg: e.leg, Known: true}, &e.Event)
	}
	judge.Flush()
	return all
}

func TestPictures(t *testing.T) {
	for name, picture := range pictures {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := picture(draw(story(), 3, nobody{}), &b); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			for _, want := range []string{"RST #2", "peer or middlebox (certain)", "because of a RST by", "no answer #3", "1.500 ms", "and 3 more events"} {
				if !strings.Contains(got, strings.ReplaceAll(want, "#", hash(name))) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			if strings.Contains(got, "<script") || strings.Contains(got, `;end#"`) || !strings.Contains(got, "alert(1)") {
				t.Errorf("a name breaks out:\n%s", got)
			}
			if name == "svg" {
				checkXML(t, got)
			}
		})
	}
}

// hash is how a number sign is written.
func hash(format string) string {
	if format == "mermaid" {
		return "#35;"
	}
	return "#"
}

// checkXML reads all of a document.
func checkXML(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

// TestPictureOfNothing draws no event.
func TestPictureOfNothing(t *testing.T) {
	for name, picture := range pictures {
		if err := picture(draw(nil, 0, nobody{}), io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrap(t *testing.T) {
	if got := strings.Join(wrap("one two  three abcdefghij", 8), "|"); got != "one two|three|abcdefgh|ij" {
		t.Error(got)
	}
}

// TestPictureOfTwoPods draws a packet that both pods show once, from the one to
// the other, and the network where packets come from or go astray.
func TestPictureOfTwoPods(t *testing.T) {
	at := func(leg istiofilter.Leg, pod string, out bool) *flow.Conn {
		return &flow.Conn{
			Proto: flow.ProtoTCP, Client: netip.MustParseAddrPort("10.0.0.1:1000"), Server: netip.MustParseAddrPort("10.0.0.2:80"),
			Place: "eth0:" + leg.String() + "@" + pod, Out: out, In: !out,
			Numbers: flow.Numbers{Client: 7, HasClient: true, Server: 9, HasServer: true, Asked: 1, Answered: 4, SYNs: 1},
		}
	}
	web, db := at(istiofilter.OutboundWire, "web", true), at(istiofilter.InboundWire, "db", false)
	web.Down.Packets = 1
	var all []*cause.Finding
	judge := cause.NewJudge(func(f *cause.Finding) { all = append(all, f) })
	for i, e := range []flow.Event{
		{Kind: flow.Opening, Conn: web, ByClient: true, Sent: true},
		{Kind: flow.Opening, Conn: db, ByClient: true, Received: true},
		{Kind: flow.Closing, Conn: web, ByClient: true, Sent: true, Seq: 20},
		{Kind: flow.Reset, Conn: web, Received: true, Terse: true, Seq: 30},
	} {
		pod, where := podName(e.Conn), sight.Where(e.Conn.Place)
		e.Time = int64(i+1) * 1_000_000
		if e.Kind == flow.Opening {
			judge.Begin(pod, where, e.Conn)
		}
		judge.See(pod, where, &e)
	}
	judge.Heard("", "", 9_000_000_000)
	judge.Flush()
	var b strings.Builder
	if err := draw(all, 0, nobody{}).mermaid(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"p0 as proxy of web", "p1 as network", "p2 as proxy of db", "p0->>p2: ", "SYN #35;1", "p0-xp1: ", "FIN #35;1", "p1-xp0: ", "middlebox (certain)", "never came to db"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("not once %q in\n%s", want, b.String())
		}
	}
}
