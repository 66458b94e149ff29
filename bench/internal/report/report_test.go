package report

import (
	"errors"
	"strings"
	"testing"

	"icap/bench/internal/load"
	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
)

func text(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportShowsWhatIsMissingAndWrong(t *testing.T) {
	r := example()
	r.Command = "bench -x"
	r.Missing = []string{"other: not found"}
	r.Chart = "chart.svg"
	r.Faults = []string{"icap, round 1: half of it is gone"}
	r.Odd = []string{"dumpcap, round 2: strange"}
	icap := r.Series[0].Results[peer.Icap]
	for i := range icap {
		icap[i].Packets, icap[i].Lost = 500, 500
		icap[i].Rate = 1000
	}
	got := text(t, r)
	for _, want := range []string{
		"Command: `bench -x`, 3 rounds",
		"NOT MEASURED: other: not found",
		"(chart.svg)",
		"FAULT: icap, round 1: half of it is gone",
		"odd: dumpcap, round 2: strange",
		"1.00 (1.00-1.10)", // twice the CPU for each of half the packets
		" 50.00 |",
		" 192.0 |",
		"The sender did not keep the rate in 3 of 9 runs",
		"not measured",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Every file of icap") {
		t.Error("says that every file is right")
	}
}

func TestPartialReportLeavesOutWhatWasNotMeasured(t *testing.T) {
	r := example()
	r.Partial = true
	got := text(t, r)
	if strings.Contains(got, "not measured") || !strings.Contains(got, "Every file of icap") {
		t.Errorf("got\n%s", got)
	}
	if want := "icap, 64 B, tmpfs: CPU/packet to tcpdump"; !strings.Contains(got, want) {
		t.Errorf("%q is not in\n%s", want, got)
	}
}

// A round that one of the two did not pass gives no ratio.
func TestPairsLeaveOutFaults(t *testing.T) {
	s := &example().Series[0]
	s.Results[peer.Tcpdump][1].Fault = errors.New("bad")
	if got := pairs(s, peer.Icap, peer.Tcpdump); len(got) != 2 || got[0] != 0.5 || got[1] != 0.55 {
		t.Errorf("got %v", got)
	}
}

func TestAllSections(t *testing.T) {
	r := example()
	r.Many = 101
	r.Searches = []measure.Search{{Mix: "256 B", Rates: map[string][]float64{peer.Icap: {0, 1_500_000, 1_400_000}}}}
	r.Starts = map[string][]float64{peer.Tcpdump: {20, 10, 0}, peer.Icap: {30, 0, 5}}
	r.Alone = map[string][]measure.Idle{peer.Icap: {{Ready: 12.34, CPU: 0.25, Memory: 70 << 20}}}
	r.Crowd = map[string][]measure.Idle{peer.Icap: {{CPU: 7.5, Memory: 210 << 20}}}
	r.Garbage = map[string]measure.Garbage{peer.Icap: {Packets: 4_000_000, Normal: 0, Strict: 3}}
	got := text(t, r)
	for _, want := range []string{
		"| icap    | 1450 |",
		"| icap    | 17.5 |  5.0-30.0 | 1.50 (1.50-1.50) |",
		"| icap    |          1 |               12.3 |          0.25 |",
		"| icap    |        101 |                0.0 |          7.50 |",
		"| icap    | 4000000 |           0 |           3 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestJudge(t *testing.T) {
	ratio := target{limit: 0.5, far: 0.3}
	count := target{worst: true}
	tests := []struct {
		target target
		values []float64
		want   string
	}{
		{ratio, nil, "not measured"},
		{ratio, []float64{0.2, 0.3, 0.9}, "met, and beyond"},
		{ratio, []float64{0.2, 0.5, 0.9}, "met"},
		{ratio, []float64{0.2, 0.54, 0.9}, "met within the spread"},
		{ratio, []float64{0.2, 0.56, 0.9}, "MISSED"},
		{ratio, []float64{0.4}, "met (1 of 3 rounds)"},
		{count, []float64{0}, "met"},
		{count, []float64{0, 0, 0.001}, "MISSED"},
	}
	for _, tt := range tests {
		if got := tt.target.judge(tt.values); got != tt.want {
			t.Errorf("%v against %v is %q, want %q", tt.values, tt.target.limit, got, tt.want)
		}
	}
}

// Every target finds its values in a run of everything.
func TestEveryTargetIsMeasuredByTheFullSuite(t *testing.T) {
	full := measure.Full()
	o := &measure.Outcome{
		Many:    full.Many + 1,
		Starts:  map[string][]float64{},
		Alone:   map[string][]measure.Idle{},
		Crowd:   map[string][]measure.Idle{},
		Garbage: map[string]measure.Garbage{},
		Binary:  map[string]int64{peer.Icap: 7_000_000},
	}
	names := []string{peer.Tcpdump, peer.Dumpcap, peer.Icap, peer.Direct, peer.Copy}
	for _, name := range names {
		o.Starts[name] = []float64{1}
		o.Alone[name] = []measure.Idle{{}}
		o.Crowd[name] = []measure.Idle{{}}
		o.Garbage[name] = measure.Garbage{}
	}
	for _, j := range full.Jobs {
		s := measure.Series{Job: j, Results: map[string][]measure.Result{}}
		for _, p := range j.Of([]peer.Peer{{Name: names[0]}, {Name: names[1]}, {Name: names[2]}, {Name: names[3]}, {Name: names[4]}}) {
			s.Results[p.Name] = costing(100)
		}
		o.Series = append(o.Series, s)
	}
	for _, g := range targets() {
		if len(g.measure(o)) == 0 {
			t.Errorf("%s: not measured", g.what)
		}
	}
}

// At a rate that was not kept, that nothing is lost proves nothing.
func TestLossAtALowerRateDoesNotCount(t *testing.T) {
	l := load.Load{Sizes: load.Uniform(64), Rate: rate64}
	r := example()
	if got := lost(peer.Icap, l, 0, 0).measure(r.Outcome); len(got) != 3 {
		t.Errorf("got %v of three rounds", got)
	}
	r.Series[0].Results[peer.Icap][0].Rate = rate64 / 2
	if got := lost(peer.Icap, l, 0, 0).measure(r.Outcome); len(got) != 2 {
		t.Errorf("got %v with one that was too slow", got)
	}
}
