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

// TestSurveyLive is the same for live packets behind VLAN tags, which a socket
// delivers without or with the tag. tcpdump needs root for that.
func TestSurveyLive(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil || os.Geteuid() != 0 {
		need(t, "tcpdump as root")
	}
	s := newRealist(8)
	frames := s.traffic(200)
	var all sizes
	misplaced := 0 // or memory is read that was not written: Linux refuses that
	for i := range *survey {
		expr := s.pick("vlan and ", "vlan 5 and ", "vlan and vlan and ", "tcp or vlan and ") + s.pick(s.primitive(), "("+s.expression(1)+")")
		if i%2 > 0 {
			expr = s.wrapped(Ethernet)
		}
		p, theirs := liveProgram(t, expr)
		switch {
		case p == nil || theirs == nil:
		case len(p.Insns)*10 > len(theirs.Insns)*11 &&
			(validate(theirs.Insns) != nil || misplaces(p, theirs, frames)):
			misplaced++
		default:
			all.add(expr, p, theirs, nil)
		}
	}
	all.log(t)
	all.judge(t, 0.6)
	t.Logf("%d larger programs where tcpdump's is wrong", misplaced)
	if misplaced > *survey/50+1 {
		t.Errorf("%d programs are larger", misplaced)
	}
}

// liveProgram returns what we and tcpdump make of an expression for a socket on
// lo, nil for what is refused, as in TestSurvey.
func liveProgram(t *testing.T, expr string) (ours, theirs *Program) {
	t.Helper()
	o := asTcpdump
	o.Live = true
	ours, err := CompileOptions(expr, Ethernet, o)
	if err != nil {
		return nil, nil
	}
	if theirs, err = liveTcpdump(expr); err != nil {
		return ours, nil
	}
	return ours, theirs
}

// misplaces reports whether libpcap's program has another verdict on frames
// whose tag is beside them. It looks for what is behind the tag where it would
// be if the tag were in the frame.
func misplaces(ours, theirs *Program, frames [][]byte) bool {
	for _, f := range frames {
		for _, tag := range []uint32{5, 100} {
			beside := map[uint32]uint32{ancillaryVLANPresent: 1, ancillaryVLANTag: tag}
			if (userlandWith(ours, f, beside) > 0) != (userlandWith(theirs, f, beside) > 0) {
				return true
			}
		}
	}
	return false
}
