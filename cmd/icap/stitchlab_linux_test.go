package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestStitchLab stitches what a lab's pod does and holds each packet against
// the truth. ICAP_TEST_LAB=all takes all rule sets.
func TestStitchLab(t *testing.T) {
	sets := []lab.Rules{lab.Native, lab.NativeDNS, lab.AmbientDNS6}
	all := os.Getenv("ICAP_TEST_LAB") == "all"
	if all {
		sets = lab.AllRules()
	}
	for _, rules := range sets {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules})
			young := func(c lab.Case) bool { return !strings.HasPrefix(c.Name, "older") }
			t.Run("young", func(t *testing.T) {
				begin, end := captureLab(t, l)
				begin()
				var flows []lab.Flow
				answered := 0
				for _, c := range l.Cases() {
					if young(c) {
						own := runLab(t, l, c, nil).Flows
						flows = append(flows, own...)
						answered += outbound(c, own)
					}
				}
				checkStitched(t, end(), flows, answered)
			})
			for _, c := range l.Cases() {
				if !young(c) && (all || c.Name == "older-outbound") {
					t.Run(c.Name, func(t *testing.T) {
						begin, end := captureLab(t, l)
						flows := runLab(t, l, c, func() error { begin(); return nil }).Flows
						checkStitched(t, end(), flows, outbound(c, flows))
					})
				}
			}
		})
	}
}

// outbound counts the app's outbound connections that a case has answered.
func outbound(c lab.Case, flows []lab.Flow) (n int) {
	for _, f := range flows {
		if f.Leg == lab.LegOutboundApp && !c.Fail {
			n++
		}
	}
	return n
}

func runLab(t *testing.T, l *lab.Lab, c lab.Case, begin func() error) lab.Result {
	t.Helper()
	r, err := l.Run(t.Context(), c, begin)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// captureLab captures all legs of the lab's pod into a file, whose name the
// end returns.
func captureLab(t *testing.T, l *lab.Lab, args ...string) (begin func(), end func() string) {
	t.Helper()
	file := temp(t, "lab.pcapng")
	var p *proc
	begin = func() {
		args := append([]string{"pod", "netns:" + l.App.Netns, "-w", file}, args...)
		p = start(t, nil, listening, icap(t, args...))
	}
	return begin, func() string {
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		return file
	}
}

// A direction is a connection's, as packets show it.
type direction struct {
	proto    uint8
	src, dst netip.AddrPort
}

// countDirections counts the packets of TCP and UDP on lo in a file.
func countDirections(t *testing.T, file string) map[direction]int {
	t.Helper()
	all := make(map[direction]int)
	eachPacket(t, file, func(p *capfile.Packet) {
		var h flow.Headers
		h.DecodeLink(p.Interface.LinkType, p.Data)
		if strings.HasPrefix(p.Interface.Name, "lo:") && h.Transport != 0 {
			all[direction{h.Proto, h.Src, h.Dst}]++
		}
	})
	return all
}

func eachPacket(t *testing.T, file string, see func(*capfile.Packet)) {
	t.Helper()
	eachBlock(t, file, func(b *capfile.Block) {
		if b.Packet != nil {
			see(b.Packet)
		}
	})
}

func eachBlock(t *testing.T, file string, see func(*capfile.Block)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		see(b)
	}
}

// restitch stitches a file in all ways that must come to the same, and returns
// the name of the result.
func restitch(t *testing.T, file string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	outs := []string{dir + "/first", dir + "/again"}
	var contents [2][]byte
	for i, out := range outs {
		if told, err := icap(t, slices.Concat([]string{"stitch"}, flags, []string{file, out})...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, told)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		contents[i] = b
	}
	if !bytes.Equal(contents[0], contents[1]) {
		t.Error("stitching a file again comes to something else")
	}
	twice := dir + "/twice"
	told, err := icap(t, slices.Concat([]string{"stitch"}, flags, []string{outs[0], twice})...).CombinedOutput()
	if err != nil || !strings.Contains(string(told), " 0 restored") || packetSum(t, twice) != packetSum(t, outs[0]) {
		t.Errorf("stitching a stitched file changes packets: %v, %s", err, told)
	}
	return outs[0]
}

// packetSum is all packets of a file.
func packetSum(t *testing.T, file string) string {
	t.Helper()
	var b strings.Builder
	eachPacket(t, file, func(p *capfile.Packet) { fmt.Fprintf(&b, "%d %d %x\n", p.Time, p.Len, p.Data) })
	return b.String()
}

// checkStitched holds the stitched file against the truth: every packet of a
// redirected half, and no other one, has the addresses that the app saw.
// As many of the app's outbound connections can be followed as were answered.
func checkStitched(t *testing.T, file string, flows []lab.Flow, answered int) {
	t.Helper()
	out := restitch(t, file)
	want, got := countDirections(t, file), countDirections(t, out)
	restored := 0
	done := make(map[direction]bool)
	for _, f := range flows {
		proto := uint8(flow.ProtoTCP)
		if f.Proto == lab.UDP {
			proto = flow.ProtoUDP
		}
		seen := direction{proto, f.Request.Src, f.Request.Dst}
		app := direction{proto, f.Answer.Dst, f.Answer.Src}
		if f.Interface != "lo" || seen == app || done[seen] {
			continue
		}
		done[seen] = true
		if n := want[seen]; n > 0 {
			restored += n
			want[app] += n
			delete(want, seen)
		}
	}
	for d := range want {
		if want[d] != got[d] {
			t.Errorf("%d packets of %v, want %d", got[d], d, want[d])
		}
	}
	for d := range got {
		if want[d] == 0 {
			t.Errorf("%d packets of %v, want none", got[d], d)
		}
	}
	t.Logf("%d packets of redirected halves have their addresses", restored)
	checkSums(t, out, `frame.comment contains "icap: captured as" && `)
	checkSums(t, restitch(t, file, "--checksums"), "")
	checkFollowed(t, out, answered)
}

// checkSums lets tshark look for bad checksums. What ICMP quotes is not meant:
// that of the packet may have been left to hardware.
func checkSums(t *testing.T, file, filter string) {
	t.Helper()
	args := []string{"-r", file, "-Y", filter + "!icmp && !icmpv6 && (tcp.checksum.status == Bad || udp.checksum.status == Bad || ip.checksum.status == Bad)"}
	for _, proto := range []string{"tcp", "udp", "ip"} {
		args = append(args, "-o", proto+".check_checksum:TRUE")
	}
	if bad := output(t, "tshark", args...); bad != "" {
		t.Errorf("bad checksums with %q:\n%s", filter, bad)
	}
}

// checkFollowed lets tshark follow the app's outbound connections: so many show
// a request and its answer.
func checkFollowed(t *testing.T, file string, want int) {
	t.Helper()
	streams := strings.Fields(output(t, "tshark", "-r", file, "-T", "fields", "-e", "tcp.stream",
		"-Y", `frame.interface_name contains "outbound-app" && tcp.len > 0`))
	slices.Sort(streams)
	args := []string{"-r", file, "-q"}
	for _, stream := range slices.Compact(streams) {
		args = append(args, "-z", "follow,tcp,ascii,"+stream)
	}
	got := 0
	for text := range strings.SplitSeq(output(t, "tshark", args...), "Follow: tcp,ascii") {
		if strings.Contains(text, "GET /") && strings.Contains(text, "HTTP/1.1 200 OK") {
			got++
		}
	}
	if got != want {
		t.Errorf("%d of %d connections can be followed", got, want)
	}
}

// TestStitchMany stitches connections that were made twenty at a time.
func TestStitchMany(t *testing.T) {
	n := 100
	if os.Getenv("ICAP_TEST_LAB") == "all" {
		n = 1500
	}
	const atOnce = 20
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	begin, end := captureLab(t, l, "--leg", "outbound-app")
	begin()
	liveBegin, liveEnd := captureLab(t, l, "--leg", "outbound-app", "--stitch")
	liveBegin()
	s := span{from: time.Now()}
	var workers sync.WaitGroup
	for w := range atOnce {
		workers.Go(func() {
			for i := w; i < n; i += atOnce {
				if x, err := l.OutboundMesh(t.Context(), fmt.Sprintf("/many/%d", i)); err != nil || x.Status != 200 {
					t.Errorf("%+v, %v", x, err)
				}
			}
		})
	}
	workers.Wait()
	flows, err := l.Flows(t.Context(), l.App)
	if err != nil {
		t.Fatal(err)
	}
	s.to = time.Now()
	live, file := liveEnd(), end()
	checkStitched(t, file, flows, n)
	checkSame(t, live, restitch(t, file), s)
	checkFollowed(t, live, n)
	checkSums(t, live, `frame.comment contains "icap: captured as" && `)
	if restored := s.byConntrack(t, live); restored < 5*n {
		t.Errorf("%d packets of %d connections are restored by conntrack", restored, n)
	}
}

// TestStitchLive stitches while capturing, and holds the packets against those
// of a file that is stitched later: they are the same. Connection tracking
// tells of each, also where the other half is not captured.
func TestStitchLive(t *testing.T) {
	sets := []lab.Rules{lab.Today, lab.NativeDNS, lab.AmbientDNS6}
	all := os.Getenv("ICAP_TEST_LAB") == "all"
	if all {
		sets = lab.AllRules()
	}
	for _, rules := range sets {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules})
			for _, c := range l.Cases() {
				if !all && c.Name != "older-outbound" && !strings.Contains(c.Name, "dns") && outboundLegs(c) == 0 {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					plainBegin, plainEnd := captureLab(t, l)
					liveBegin, liveEnd := captureLab(t, l, "--stitch")
					halfBegin, halfEnd := captureLab(t, l, "--stitch", "dst host 127.0.0.1 or dst host ::1")
					var s span
					runLab(t, l, c, func() error {
						plainBegin()
						liveBegin()
						halfBegin()
						s.from = time.Now()
						return nil
					})
					s.to = time.Now()
					plain, live, half := plainEnd(), liveEnd(), halfEnd()
					checkSame(t, live, restitch(t, plain), s)
					restored := 0
					for _, file := range []string{live, half} {
						n := s.byConntrack(t, file)
						if restored != 0 && n != restored {
							t.Errorf("%d packets are restored of one half, %d of both", n, restored)
						}
						restored = n
					}
					if outboundLegs(c) > 0 && restored == 0 {
						t.Error("nothing was restored")
					}
				})
			}
		})
	}
}

// TestStitchList stitches a file of one half alone by what conntrack prints.
func TestStitchList(t *testing.T) {
	if _, err := exec.LookPath("conntrack"); err != nil {
		labtest.Skip(t, "needs conntrack")
	}
	l := labtest.New(t, lab.Config{Rules: lab.DNS})
	begin, end := captureLab(t, l, "dst host 127.0.0.1")
	begin()
	for _, c := range l.Cases() {
		if c.Name == "outbound-mesh" || strings.HasPrefix(c.Name, "dns") {
			runLab(t, l, c, nil)
		}
	}
	list := temp(t, "list")
	err := l.App.NS.Do(func() error {
		text, err := exec.Command("conntrack", "-L", "-o", "extended").Output()
		return errors.Join(err, os.WriteFile(list, text, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	file, out := end(), temp(t, "out")
	told, err := icap(t, "stitch", "--conntrack", list, file, out).CombinedOutput()
	if n := (span{to: time.Now()}).byConntrack(t, out); err != nil || n == 0 {
		t.Errorf("%d restored, %v\n%s", n, err, told)
	}
}

// outboundLegs counts the legs of a case that the rules redirect on lo.
func outboundLegs(c lab.Case) (n int) {
	for _, leg := range c.Legs {
		if leg == lab.LegOutboundApp || leg == lab.LegSelfWire || leg == lab.LegDNSApp {
			n++
		}
	}
	return n
}

// A span is when several captures were on.
type span struct{ from, to time.Time }

func (s span) has(p *capfile.Packet) bool {
	at := time.Unix(0, p.Time)
	return at.After(s.from) && at.Before(s.to)
}

// onLoopback is the packets on lo of a file, sorted. Their time is each ring's.
func (s span) onLoopback(t *testing.T, file string) (lines []string) {
	t.Helper()
	eachPacket(t, file, func(p *capfile.Packet) {
		if strings.HasPrefix(p.Interface.Name, "lo:") && s.has(p) {
			lines = append(lines, fmt.Sprintf("%s %x", p.Interface.Name, p.Data))
		}
	})
	slices.Sort(lines)
	return lines
}

// checkSame holds a file that was stitched while capturing against one that
// was later.
func checkSame(t *testing.T, live, later string, s span) {
	t.Helper()
	got, want := s.onLoopback(t, live), s.onLoopback(t, later)
	if len(got) != len(want) {
		t.Errorf("%d packets on lo live, %d later", len(got), len(want))
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("live:  %s\nlater: %s", got[i], want[i])
		}
	}
}

// byConntrack counts the packets that were restored. All are by conntrack, and
// none is left as it was.
func (s span) byConntrack(t *testing.T, file string) (n int) {
	t.Helper()
	eachBlock(t, file, func(b *capfile.Block) {
		if b.Packet == nil || !s.has(b.Packet) {
			return
		}
		restored := false
		for o, rest, ok := capfile.NextOption(b.Packet.Options, b.Order); ok; o, rest, ok = capfile.NextOption(rest, b.Order) {
			if o.Code != capfile.OptionComment {
				continue
			}
			if text := string(o.Value); !strings.Contains(text, "restored by conntrack") {
				t.Errorf("%s", text)
			}
			restored = true
			n++
		}
		var h flow.Headers
		h.DecodeLink(b.Packet.Interface.LinkType, b.Packet.Data)
		if d := h.Dst.Addr(); h.Transport != 0 && d.IsLoopback() && d.String() != "127.0.0.6" && !h.Src.Addr().IsLoopback() && !restored {
			t.Errorf("%v > %v is left", h.Src, h.Dst)
		}
	})
	return n
}
