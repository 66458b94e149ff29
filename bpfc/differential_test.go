package bpfc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"
)

// need skips the test because something is missing, or fails it where the
// environment says that nothing may be skipped.
func need(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ICAP_TEST_ROOT") == "1" {
		t.Fatal("missing: " + what)
	}
	t.Skip("missing: " + what)
}

var errRejectsAll = errors.New("tcpdump: expression rejects all packets")

// tcpdump returns the program that libpcap compiles, optimized or not.
func tcpdump(expr string, optimized bool) (*Program, error) {
	return tcpdumpOf(Ethernet, expr, optimized)
}

// tcpdumpOf is tcpdump for any link type.
func tcpdumpOf(lt LinkType, expr string, optimized bool) (*Program, error) {
	args := []string{"-y", lt.String(), "-ddd", "--", expr}
	if !optimized {
		args = append([]string{"-O"}, args...)
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command("tcpdump", args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if strings.Contains(stderr.String(), "expression rejects all packets") {
			return nil, errRejectsAll
		}
		return nil, fmt.Errorf("tcpdump: %s", strings.TrimSpace(stderr.String()))
	}
	return parseDecimal(out.String())
}

// parseDecimal reads a program in the form of DumpDecimal.
func parseDecimal(text string) (*Program, error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Scan() // the number of instructions
	p := &Program{}
	for lines.Scan() {
		var ins bpf.RawInstruction
		if _, err := fmt.Sscan(lines.Text(), &ins.Op, &ins.Jt, &ins.Jf, &ins.K); err != nil {
			return nil, err
		}
		p.Insns = append(p.Insns, ins)
	}
	return p, nil
}

// unoptimized compiles without any optimization.
func unoptimized(t *testing.T, expr string) *Program {
	t.Helper()
	return unoptimizedOf(t, expr, Ethernet, Options{})
}

// unoptimizedOf is unoptimized for any link type and options.
func unoptimizedOf(t *testing.T, expr string, lt LinkType, o Options) *Program {
	t.Helper()
	c, err := newCompilation(expr, lt, o)
	if err != nil {
		t.Fatalf("%q: %v", expr, err)
	}
	root, err := c.blocks(c.formula, false, noChoice)
	if err != nil {
		t.Fatalf("%q: %v", expr, err)
	}
	return &Program{Insns: c.layout(root, false)}
}

// TestAgainstTcpdump compares verdicts with those of libpcap's programs. On
// whole packets they are those of the unoptimized program; rarely, libpcap's
// optimizer makes a mistake, and its program differs. On truncated packets, libpcap's optimized
// and unoptimized programs can differ, as the optimizer moves and drops loads;
// there the verdict is that of either of them. For a few expressions, such as
// "port 53 or not port 53" put in other words, our optimizer sees more or less
// than that of libpcap, and the verdict is that of neither.
func TestAgainstTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	sentences := amount(120)
	deadline := patience()
	r := rand.New(rand.NewPCG(1, 2))
	s := sentencer{r}
	pkts, noise := corpus(r)

	exprs := []string{
		"", "tcp", "port 80 or 443", "tcp dst port 80 or 443", "host 10.0.0.1 and 10.0.0.2",
		"tcp or udp and port 53", "not port 80 and 443", "port (80 or (443 and 53))",
		"src 10.0.0.1 or not (10.0.0.2) and 192.168.7.9", "ip host 10.0.0.1 or arp",
	}
	for len(exprs) < sentences {
		exprs = append(exprs, s.sentence(2))
	}
	type judged struct {
		expr             string
		optimized, plain *Program
		err              error
	}
	// Two at a time: starting tcpdump takes most of the time.
	work := make(chan int)
	results := make([]judged, len(exprs))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range work {
				j := judged{expr: exprs[i]}
				j.optimized, j.err = tcpdump(exprs[i], true)
				if j.err == nil || j.err == errRejectsAll {
					if plain, err := tcpdump(exprs[i], false); err == nil {
						j.plain = plain
					}
				}
				results[i] = j
			}
		})
	}
	sent := 0
	for ; sent < len(exprs) && time.Now().Before(deadline); sent++ {
		work <- sent
	}
	close(work)
	wg.Wait()

	var never, neverOurs, differ int
	var all sizes
	for _, j := range results[:sent] {
		p, err := CompileOptions(j.expr, Ethernet, Options{})
		if errors.Is(err, ErrNeverMatches) {
			neverOurs++
			p, err = &Program{Insns: []bpf.RawInstruction{{Op: opReturnK}}}, nil // rejects
		}
		if j.err != nil && j.err != errRejectsAll {
			if err == nil {
				t.Errorf("%q: compiled, but %v", j.expr, j.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", j.expr, err)
			continue
		}
		if j.err == errRejectsAll {
			never++
			j.optimized = j.plain
		} else {
			all.add(j.expr, p, j.optimized, pkts)
		}
		neither, wrong := false, false
		short := func(pkt []byte, wireLen int) {
			got := p.Match(pkt, wireLen)
			neither = neither || got != j.optimized.Match(pkt, wireLen) &&
				got != j.plain.Match(pkt, wireLen)
		}
		for _, pkt := range noise {
			short(pkt, len(pkt))
		}
		for _, pkt := range pkts {
			want := j.plain.Match(pkt, len(pkt))
			compare(t, j.expr, pkt, p.Match(pkt, len(pkt)), want)
			wrong = wrong || j.optimized.Match(pkt, len(pkt)) != want
			for _, cut := range truncated(r, pkt) {
				short(cut, len(pkt))
			}
			if t.Failed() {
				t.Fatalf("ours:\n%s\ntheirs:\n%s", p.Dump(), j.optimized.Dump())
			}
		}
		if wrong {
			t.Logf("libpcap's optimizer changes the verdict on whole packets: %s", j.expr)
		}
		if neither {
			differ++
			t.Logf("differs on truncated packets: %s", j.expr)
		}
	}
	t.Logf("%d expressions on %d packets", sent, len(pkts)+len(noise))
	t.Logf("never match: %d by tcpdump, %d by us", never, neverOurs)
	all.log(t)
	if differ > sent/50 {
		t.Errorf("%d expressions differ on truncated packets", differ)
	}
}

func compare(t *testing.T, expr string, pkt []byte, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%q on %d bytes %x: got %d, want %d", expr, len(pkt), pkt, got, want)
	}
}

// TestRefusals compares what is refused.
func TestRefusals(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, tt := range errorTests {
		if tt.kind == KindUnsupported || tt.ours {
			continue
		}
		if _, err := tcpdump(tt.expr, true); err == nil {
			t.Errorf("%q: tcpdump compiles it", tt.expr)
		}
	}
}

// TestDumps compares the three forms of listings with tcpdump's.
func TestDumps(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, expr := range []string{"", "tcp", "not arp", "less 100", "icmp", "host ::1"} {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for flag, got := range map[string]string{
			"-d": p.Dump(), "-dd": p.DumpC(), "-ddd": p.DumpDecimal(),
		} {
			want, err := exec.Command("tcpdump", "-y", "EN10MB", flag, "--", expr).Output()
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("tcpdump %s %q: got\n%s\nwant\n%s", flag, expr, got, want)
			}
		}
	}
}

// TestDumpOfAllInstructions compares the listing of unoptimized programs with
// memory and arithmetic, which libpcap writes for relations.
func TestDumpOfAllInstructions(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	for _, expr := range []string{
		"ip[ip[2] & 3 | 1] + ip[3] - 2 = ip[4] * 3",
		"ip[0] / 2 << 3 >> tcp[1] % 7 ^ 5 > len",
		"-ip[0] >= udp[2:2] % 7 and tcp[13:4] & 5 != 0",
	} {
		args := []string{"-O", "-y", "EN10MB"}
		decimal, err := exec.Command("tcpdump", append(args, "-ddd", "--", expr)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		p, err := parseDecimal(string(decimal))
		if err != nil {
			t.Fatal(err)
		}
		want, err := exec.Command("tcpdump", append(args, "-d", "--", expr)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Dump(); got != string(want) {
			t.Errorf("%q: got\n%s\nwant\n%s", expr, got, want)
		}
		if err := validate(p.Insns); err != nil {
			t.Errorf("%q: %v", expr, err)
		}
	}
}
