package bpfc

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// hardLive are expressions for live packets for which a program easily becomes
// larger than libpcap's, see hard.
const hardLive = `
portrange 25701-26133 or not (net 37.80.47.0/24 or 10.171.0.0/16) and host 10.1.146.69 or vlan and mpls
(dst portrange 9104-9501 or 11189-12288 or 5175-7060 or 58687-59316) or vlan and vlan and (less 100)
net 97.126.208.0/24 or udp src and dst port 443 or host 192.168.7.9 or vlan 100 and vlan 5
tcp or vlan and (not udp and not net 220.65.126.0/24)
tcp or vlan and net 56.192.56.0/24
host 10.0.0.1 or vlan and (host 10.0.0.2 or port 80)
port 80 or vlan 5 and (tcp or arp)
(pppoed and (tcp)) or (vlan and (host 2001:db8::3))
ether proto 0x88cc or (vlan and port 44491)
`

// TestHardSizesLive is TestHardSizes for live packets. tcpdump needs root for that.
func TestHardSizesLive(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil || os.Geteuid() != 0 {
		need(t, "tcpdump as root")
	}
	for expr := range strings.SplitSeq(strings.TrimSpace(hardLive), "\n") {
		p, theirs := liveProgram(t, expr)
		if p == nil || theirs == nil {
			t.Fatalf("%q is refused", expr)
		}
		if ours, most := len(p.Insns), len(theirs.Insns)*11/10; ours > most {
			t.Errorf("%q: %d instructions, tcpdump's %d", expr, ours, len(theirs.Insns))
		}
	}
}

// TestSurveyLive is TestSurvey for live packets behind VLAN tags, which a socket
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
