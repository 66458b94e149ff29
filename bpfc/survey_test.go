package bpfc

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var survey = flag.Int("survey", 150, "so many filters in the survey of sizes")

// TestSurvey compares sizes and executed instructions with libpcap's: of
// filters as people write them for all link types, and for live packets.
// With -survey 3000 it looks at more of them.
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
	all.judge(t)
}

// TestSurveyLive is the same for live packets behind VLAN tags, which a
// socket delivers without or with the tag. tcpdump needs root for that.
func TestSurveyLive(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil || os.Geteuid() != 0 {
		need(t, "tcpdump as root")
	}
	s := newRealist(8)
	o := asTcpdump
	o.Live = true
	var all sizes
	for range *survey / 2 {
		expr := s.pick("vlan and ", "vlan 5 and ", "vlan and vlan and ", "tcp or vlan and ") + s.pick(s.primitive(), "("+s.expression(1)+")")
		out, err := exec.Command("tcpdump", "-i", "lo", "-ddd", "--", expr).Output()
		p, wrong := CompileOptions(expr, Ethernet, o)
		if err != nil || wrong != nil {
			continue // as in TestSurvey
		}
		theirs, err := parseDecimal(string(out))
		if err != nil {
			t.Fatal(err)
		}
		all.add(expr, p, theirs, nil)
	}
	all.log(t)
	all.judge(t)
}
