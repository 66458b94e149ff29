package text

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"icap/internal/flow"
	"icap/pcapwriter"
)

// A cutFrame is a frame of which only a part may have been captured.
type cutFrame struct {
	name  string
	frame []byte
	wire  int  // its length on the wire
	whole bool // as it was made
}

// variants are the frames themselves, cut by snapshot lengths, and with bytes
// behind the link layer changed.
func variants(names []string, frames [][]byte, each int) (all []cutFrame) {
	const linkLen = 14
	r := rand.New(rand.NewPCG(7, 7))
	for i, f := range frames {
		all = append(all, cutFrame{names[i], f, len(f), true})
		for range each {
			n := linkLen + r.IntN(len(f)-linkLen)
			all = append(all, cutFrame{names[i] + ", cut", f[:n], len(f), false})
			g := slices.Clone(f)
			for range 1 + r.IntN(3) {
				at := linkLen + r.IntN(len(f)-linkLen)
				g[at] = [...]byte{byte(r.Uint32()), g[at] ^ 1<<r.IntN(8), 0, 0xff}[r.IntN(4)]
			}
			all = append(all, cutFrame{names[i] + ", changed", g, len(f), false})
		}
	}
	return all
}

// writeFrames writes them for tcpdump to read.
func writeFrames(t *testing.T, linkType uint16, frames []cutFrame) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "frames.pcapng")
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{LinkType: linkType, Snaplen: 262144})
	for _, f := range frames {
		file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Time: testTime.UnixNano(), Data: f.frame, Len: f.wire})
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// escapes are control characters and others that are not ASCII, as icap and as
// tcpdump write them.
var escapes = regexp.MustCompile(`\\x[0-9a-f]{2}|M-\^.|M-.|\^.|\\\\`)

// alike leaves out of a line what the two say in other words.
func alike(line string) string {
	line = escapes.ReplaceAllString(line, "~")
	return strings.NewReplacer("Type65", "HTTPS", "Type64", "SVCB", "Type257", "CAA",
		"shared secret not supplied with -M, ", "").Replace(line)
}

// differs reports whether tcpdump's line is about what icap does not decode, or
// takes for something else, as a changed byte can make it.
func differs(line string) bool {
	for _, word := range []string{
		"bad-len 0",                       // a giant that was not segmented yet: icap takes the length of the frame
		"<ELT ",                           // labels of RFC 2673, which nobody uses
		"igrp:", "IPComp", "DCCP", " nd ", // protocols that icap does not know
		"Unknown (0x", "Unknown Ethertype", // whose bytes tcpdump dumps
		"Hop-by-Hop Options header", "TokenRing", " URI ", " MR", ": FTP", ": HTTP",
		"::89.",             // addresses of RFC 4291, 2.5.5.1, that are obsolete
		"snaplen too short", // to check a signature
	} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// TestTcpdumpBroadly compares the lines of many frames with those of the
// original. Of those that were cut or changed, one in 100 may say in other words
// what is wrong with it.
func TestTcpdumpBroadly(t *testing.T) {
	names, frames := commonFrames(t)
	each := 4
	if os.Getenv("ICAP_TEST_LONG") == "1" {
		each = 100
	}
	all := variants(names, frames, each)
	path := writeFrames(t, flow.LinkEthernet, all)
	for _, test := range []struct {
		flags string
		o     Options
	}{
		{"-nt", Options{Numeric: true, Time: TimeNone, Relative: true}},
		{"-ntSv", Options{Numeric: true, Time: TimeNone, Verbose: 1}},
		{"-ntSvv", Options{Numeric: true, Time: TimeNone, Verbose: 2}},
		{"-ntSvvvKe", Options{Numeric: true, Time: TimeNone, Verbose: 3, NoChecksums: true, Link: true}},
		{"-ntSqe", Options{Numeric: true, Time: TimeNone, Quick: true, Link: true}},
		{"-ntSqx", Options{Numeric: true, Time: TimeNone, Quick: true, Dump: HexDump}},
		{"-ntSqX", Options{Numeric: true, Time: TimeNone, Quick: true, Dump: BothDump}},
		{"-ntSqXX", Options{Numeric: true, Time: TimeNone, Quick: true, Dump: BothDump, DumpLink: true}},
	} {
		want := tcpdumpPackets(t, test.flags+"#", path)
		if len(want) != len(all) {
			t.Fatalf("tcpdump %s prints %d packets, want %d", test.flags, len(want), len(all))
		}
		p, others := New(test.o), 0
		for i, f := range all {
			line := p.AppendLink(nil, testTime, "", flow.LinkEthernet, f.frame, f.wire)
			got := string(p.AppendDump(line, flow.LinkEthernet, f.frame))
			if alike(got) == alike(want[i]) || differs(want[i]) {
				continue
			}
			// Of what is cut, tcpdump dumps the link layer, too.
			if test.o.Dump != NoDump && strings.Contains(want[i], "[|") {
				continue
			}
			if others++; f.whole || others > len(all)/100 {
				t.Errorf("%s with %s, %d of %d bytes %x\n got %q\nwant %q", f.name, test.flags, len(f.frame), f.wire, f.frame, got, want[i])
			}
		}
		t.Logf("%s: %d packets, %d of them told in other words", test.flags, len(all), others)
	}
}

// tcpdumpPackets is what tcpdump prints of each packet of a file, with numbers
// that tell where one begins.
func tcpdumpPackets(t *testing.T, flags, path string) (packets []string) {
	t.Helper()
	for _, line := range tcpdump(t, flags, path) {
		if begins(line, len(packets)+1) {
			_, rest, _ := strings.Cut(strings.TrimLeft(line, " "), "  ")
			packets = append(packets, rest)
			continue
		}
		if len(packets) == 0 {
			t.Fatalf("tcpdump begins with %q", line)
		}
		packets[len(packets)-1] += "\n" + line
	}
	return packets
}

func begins(line string, n int) bool {
	return strings.HasPrefix(strings.TrimLeft(line, " "), string(appendInt(nil, n))+"  ")
}

// TestTcpdumpCooked compares the lines of frames of Linux's cooked capture.
func TestTcpdumpCooked(t *testing.T) {
	names, frames := commonFrames(t)
	for _, kind := range []struct {
		linkType uint16
		name     string
	}{{flow.LinkSLL, "SLL"}, {flow.LinkSLL2, "SLL2"}} {
		var all []cutFrame
		for i, f := range frames {
			if typ := be16(f[12:]); isTag(typ) && typ != ether8021Q {
				continue // tcpdump dumps these here
			}
			cooked := cook(kind.linkType, uint8(i%6), f)
			all = append(all, cutFrame{names[i], cooked, len(cooked), true}, cutFrame{names[i] + ", cut", cooked[:i%25], len(cooked), false})
		}
		path := writeFrames(t, kind.linkType, all)
		for flags, o := range map[string]Options{
			"-nt":    {Numeric: true, Time: TimeNone},
			"-ntSe":  {Numeric: true, Time: TimeNone, Link: true},
			"-ntSqe": {Numeric: true, Time: TimeNone, Link: true, Quick: true},
		} {
			want := tcpdumpPackets(t, flags+"#", path)
			o.Relative = !strings.Contains(flags, "S")
			p := New(o)
			for i, f := range all {
				got := string(p.AppendLink(nil, testTime, "", kind.linkType, f.frame, f.wire))
				// tcpdump looks for a name where it runs, and finds none.
				got = strings.Replace(got, "if7000000 ", "?     ", 1)
				if len(f.frame) > 0 && alike(got) != alike(want[i]) && !differs(want[i]) {
					t.Errorf("%s: %s with %s: %x\n got %q\nwant %q", kind.name, f.name, flags, f.frame, got, want[i])
				}
			}
		}
	}
}

// cook puts a cooked header in the place of that of Ethernet.
func cook(linkType uint16, packetType uint8, frame []byte) []byte {
	if linkType == flow.LinkSLL {
		return slices.Concat([]byte{0, packetType, 0, 1, 0, 6}, frame[6:12], []byte{0, 0}, frame[12:])
	}
	return slices.Concat(frame[12:14], []byte{0, 0, 0, 0x6a, 0xcf, 0xc0, 0, 1, packetType, 6}, frame[6:12], []byte{0, 0}, frame[14:])
}
