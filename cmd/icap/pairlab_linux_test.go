package main

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/report"
)

// TestPairsLab pairs connections of a lab's proxy: one after the other, and
// at once, where sizes tell them apart.
func TestPairsLab(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Article, lab.TProxy} {
		t.Run(rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: rules})
			begin, end := captureLab(t, l)
			begin()
			askAll(t, l)
			askAll(t, l)
			checkOrder(t, readPairs(t, end()), 8)

			begin, end = captureLab(t, l)
			begin()
			var all sync.WaitGroup
			const connections = 12
			for i := range connections {
				all.Go(func() {
					if x, err := l.OutboundPassthrough(t.Context(), fmt.Sprintf("/bytes?n=%d", 5000*(i+1))); err != nil || x.Status != 200 {
						t.Errorf("%+v, %v", x, err)
					}
				})
			}
			all.Wait()
			best := make(map[string]bool)
			for _, p := range readPairs(t, end()) {
				if best[p.Accepted.Client] {
					continue
				}
				best[p.Accepted.Client] = true
				in, out := p.Accepted, p.Made
				if d := int64(in.DownBytes) - int64(out.DownBytes); d > 2000 || d < -2000 || p.Sure == "certain" && p.Likelihood != 1 {
					t.Errorf("the best is of another size: %+v, %+v, %s %.2f", in, out, p.Sure, p.Likelihood)
				}
			}
			if len(best) != connections {
				t.Errorf("%d of %d have a pair", len(best), connections)
			}
		})
	}
}

func readPairs(t *testing.T, file string) (pairs []report.PairRecord) {
	t.Helper()
	if err := json.Unmarshal([]byte(output(t, "icap", "flows", "-r", file, "--pairs", "-o", "json")), &pairs); err != nil {
		t.Fatal(err)
	}
	return pairs
}

// checkOrder sees that of connections one after the other, the first goes with
// the first, and so on, on each side of the proxy.
func checkOrder(t *testing.T, pairs []report.PairRecord, want int) {
	t.Helper()
	accepted, made := make(map[string]int), make(map[string]int)
	best := make(map[string]bool)
	for _, p := range pairs {
		if best[p.Accepted.Client] {
			if p.Sure == "certain" {
				t.Errorf("certain of several: %+v", p)
			}
			continue
		}
		best[p.Accepted.Client] = true
		accepted[p.Accepted.Leg]++
		if !best[p.Made.Client] {
			best[p.Made.Client] = true
			made[p.Made.Leg]++
		}
		if n, m := accepted[p.Accepted.Leg], made[p.Made.Leg]; n != m {
			t.Errorf("the %d. of %s is paired with the %d. of %s: %s, %s", n, p.Accepted.Leg, m, p.Made.Leg, p.Sure, p.Evidence)
		}
		want--
	}
	if want != 0 {
		t.Errorf("%d connections have no pair", want)
	}
}
