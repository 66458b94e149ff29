package report

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"icap/bench/internal/check"
	"icap/bench/internal/load"
	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
)

// costing are the results of rounds in which a packet costs so many ns.
func costing(ns ...int) []measure.Result {
	var all []measure.Result
	for _, n := range ns {
		all = append(all, measure.Result{
			Sent: 1000, Packets: 1000, Rate: 1e6, CPU: time.Duration(1000 * n), FileSize: 96_000, Memory: 70 << 20,
		})
	}
	return all
}

// example is a run of three programs under two loads.
func example() *Report {
	series := func(l load.Load, disk bool) measure.Series {
		return measure.Series{Job: measure.Job{Load: l, Disk: disk}, Results: map[string][]measure.Result{
			peer.Tcpdump: costing(100, 200, 120),
			peer.Icap:    costing(50, 100, 66),
			peer.Dumpcap: costing(1000, 2000, 1300),
		}}
	}
	return &Report{
		Peers: []peer.Peer{
			{Name: peer.Tcpdump, Format: check.Pcap},
			{Name: peer.Dumpcap, Format: check.Pcapng},
			{Name: peer.Icap, Format: check.Pcapng},
		},
		Outcome: &measure.Outcome{Rounds: 3, Series: []measure.Series{
			series(load.Load{Sizes: load.Uniform(64), Rate: rate64, Count: 1000}, false),
			series(load.Load{Sizes: load.IMIX(), Rate: rateIMIX, Count: 1000}, false),
		}},
	}
}

func TestDraw(t *testing.T) {
	var b strings.Builder
	if err := example().Draw(&b); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"<svg", ">icap<", ">dumpcap<", ">64 B, 500 kpps, tmpfs<", ">IMIX, 300 kpps, tmpfs<"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in the chart", want)
		}
	}
}

func TestDrawNothing(t *testing.T) {
	r := example()
	for _, s := range r.Series {
		delete(s.Results, peer.Tcpdump)
	}
	if err := r.Draw(io.Discard); err == nil {
		t.Error("no error")
	}
}

func TestRatioTicks(t *testing.T) {
	var labels []string
	for _, tick := range (ratioTicks{}).Ticks(0.09, 2.5) {
		labels = append(labels, tick.Label)
	}
	if got, want := strings.Join(labels, " "), "0.1 0.2 0.5 1 2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
