package bpfc

import (
	"errors"
	"flag"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var survey = flag.Int("survey", 150, "so many filters in the survey of sizes")

// TestSurvey compares sizes and executed instructions with libpcap's: of
// filters as people write them for all link types, and for live packets.
// Some have encapsulations in all places where they matter. With -survey 2500 it
// looks at more of them.
func TestSurvey(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	s := newRealist(7)
	exprs := strings.Split(strings.TrimSpace(ordinary), "\n")
	for range *survey {
		exprs = append(exprs, s.sentence())
	}
	frames := s.traffic(200)
	for _, lt := range []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2} {
		var pkts [][]byte
		for _, f := range frames {
			pkts = append(pkts, frameAs(lt, s.Rand, f))
		}
		t.Run(lt.String(), func(t *testing.T) {
			some := exprs
			if lt != Ethernet {
				some = exprs[len(exprs)-*survey/2:]
			}
			wrapped := newRealist(9)
			for range *survey / 2 {
				some = append(some[:len(some):len(some)], wrapped.wrapped(lt))
			}
			surveySizes(t, lt, some, pkts)
		})
	}
}

// surveySizes compares programs for files.
func surveySizes(t *testing.T, lt LinkType, exprs []string, pkts [][]byte) {
	t.Helper()
	var all sizes
	for _, j := range judge(lt, exprs, time.Now().Add(time.Minute)) {
		p, err := CompileOptions(j.expr, lt, asTcpdump)
		if err != nil || j.err != nil {
			if (err == nil) != (j.err == nil) && !errors.Is(err, ErrNeverMatches) && !quirk(j.err) {
				t.Errorf("%q: %v, tcpdump: %v", j.expr, err, j.err)
			}
			continue
		}
		all.add(j.expr, p, j.optimized, pkts)
	}
	all.log(t)
	all.judge(t, 0.7)
}
