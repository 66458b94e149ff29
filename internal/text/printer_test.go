package text

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var testTime = time.Date(2024, 2, 29, 12, 34, 56, 789012345, time.UTC)

func TestAppend(t *testing.T) {
	p := New(Options{Numeric: true})
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			got := string(p.Append(nil, testTime, "lo:inbound-app", s.frame, len(s.frame)))
			if want := "12:34:56.789012 lo:inbound-app " + s.want; got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// TestTruncated cuts every sample at every byte: no panic, and the line says
// so where a header is cut.
func TestTruncated(t *testing.T) {
	p := New(Options{})
	verbose := New(Options{Verbose: 3})
	for _, f := range seeds(t) {
		for n := range f {
			checkLines(t, string(p.Append(nil, testTime, "", f[:n], len(f))))
			checkLines(t, string(verbose.Append(nil, testTime, "", f[:n], len(f))))
		}
	}
	syn := samples(t)[0].frame
	for n, want := range map[int]string{
		0:  " [|ether]",
		13: " [|ether]",
		14: " [|ip]",
		33: "IP  [|ip]",
		34: "IP 127.0.0.6 > 10.244.0.5: [|tcp]",
		53: "IP 127.0.0.6.41234 > 10.244.0.5.9080:  [|tcp]",
		54: "IP 127.0.0.6.41234 > 10.244.0.5.9080: Flags [S], seq 4294967295, win 512, options [ [|tcp]",
	} {
		got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "", syn[:n], len(syn)))
		if got != want {
			t.Errorf("%d bytes\n got %s\nwant %s", n, got, want)
		}
	}
}

func TestFragmentName(t *testing.T) {
	ip := ip4(layers.IPProtocolUDP)
	ip.FragOffset = 1
	f := frame(t, ethernet(layers.EthernetTypeIPv4), ip)
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "", f, len(f)))
	if want := "IP 127.0.0.6 > 10.244.0.5: udp"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMalformed: lengths that lie are said to, and never believed.
func TestMalformed(t *testing.T) {
	const mac = "020000000002 020000000001 "
	const v4 = "0000 0000 4006 0000 7f000006 0af40005"
	const v6 = "fd000000000000000000000000000001 fd000000000000000000000000000002"
	for _, test := range []struct{ name, frame, want string }{
		{"ip version", mac + "0800 75000014" + v4, "IP7 (invalid)"},
		{"ip header length", mac + "0800 44000014" + v4, "IP bad-hlen 16"},
		{"ip length", mac + "0800 45000013" + v4, "IP bad-len 19"},
		{"ip options cut", mac + "0800 46000018" + v4, "IP  [remaining caplen(20) < header length(24)] [|ip]"},
		{"tcp header length", mac + "0800 45000028" + v4 + "00010002 00000000 00000000 40020000 00000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2:  tcp 4 [bad hdr length 16 - too short, < 20]"},
		{"tcp options", mac + "0800 4500002c" + v4 + "00010002 00000000 00000000 60100000 00000000 0101 02ff",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], ack 0, win 0, options [nop,nop,[bad opt]]"},
		{"tcp end of options", mac + "0800 4500002c" + v4 + "00010002 00000000 00000000 60100000 00000000 01000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], ack 0, win 0, options [nop,eol], length 0"},
		{"tcp of an offloaded giant", mac + "0800 45000000" + v4 + "00010002 00000000 00000000 50100000 00000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], seq 0:99946, ack 0, win 0, length 99946"},
		{"udp length", mac + "0800 4500001c 0000 0000 4011 0000 7f000006 0af40005 00010002 0007 0000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: truncated-udplength 7"},
		{"ip6 version", mac + "86dd 50000000 0000 3b40" + v6, "IP6 version error: 5 != 6"},
		{"ip6 no next header", mac + "86dd 60000000 0000 3b40" + v6, "IP6 fd00::1 > fd00::2: no next header"},
		{"ip6 extension cut", mac + "86dd 60000000 0008 0040" + v6 + "1100", "IP6 fd00::1 > fd00::2:  [|hbhopt]"},
		{"ip6 extension too long", mac + "86dd 60000000 0008 3c40" + v6 + "11ff000000000000", "IP6 fd00::1 > fd00::2:  [|dstopt]"},
		{"ip6 fragment", mac + "86dd 60000000 0008 2c40" + v6 + "1100 04d0 00000001", "IP6 fd00::1 > fd00::2: frag (1232|0)"},
		{"arp of another kind", mac + "0806 0006 0800 06 04 0001" + strings.Repeat("00", 20), "ARP, Request who-has 0.0.0.0 tell 0.0.0.0, length 99986"},
		{"arp operation", mac + "0806 0001 0800 06 04 0009" + strings.Repeat("00", 20), "ARP, Inverse Reply 00:00:00:00:00:00 at 0.0.0.0, length 99986"},
		{"vlan cut", mac + "8100 00", " [|vlan]"},
		{"802.3", mac + "0010 4242", "02:00:00:00:00:01 > 02:00:00:00:00:02, 802.3, length 100000: length 99986"},
	} {
		got := string(New(Options{Time: TimeNone, Numeric: true}).Append(nil, testTime, "", hexBytes(t, test.frame), 100_000))
		if got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestTimeNano(t *testing.T) {
	got := string(New(Options{Nano: true}).Append(nil, testTime, "", nil, 0))
	if want := "12:34:56.789012345  [|ether]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLabelIsEscaped(t *testing.T) {
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "e\x1bth\n\\0ä", nil, 0))
	if want := `e\x1bth\x0a\\0\xc3\xa4  [|ether]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPortNames(t *testing.T) {
	f := frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 123, DstPort: 443})
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "", f, len(f)))
	if want := "IP 127.0.0.6.ntp > 10.244.0.5.https: UDP, length 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAppendAllocs(t *testing.T) {
	b := make([]byte, 0, 4096)
	for _, p := range []*Printer{New(Options{}), New(Options{Verbose: 3})} {
		for i, f := range seeds(t) {
			n := testing.AllocsPerRun(10, func() {
				b = p.Append(b[:0], testTime, "lo", f, len(f))
			})
			if n != 0 {
				t.Errorf("%d: %v allocations, want 0\n%s", i, n, b)
			}
		}
	}
}

// seeds are all frames of the tests.
func seeds(t testing.TB) (frames [][]byte) {
	for _, s := range samples(t) {
		frames = append(frames, s.frame)
	}
	_, common := commonFrames(t)
	return slices.Concat(frames, common)
}

// checkLine fails on anything that a terminal could take for an order.
func checkLine(t testing.TB, line string) {
	t.Helper()
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '~' {
			t.Fatalf("byte %#x in %q", line[i], line)
		}
	}
	if strings.Contains(line, decoderFailed) {
		t.Fatalf("a decoder panicked: %q", line)
	}
}

// checkLines does the same for lines, and what begins them.
func checkLines(t testing.TB, lines string) {
	t.Helper()
	for line := range strings.SplitSeq(lines, "\n") {
		checkLine(t, strings.TrimLeft(line, "\t"))
	}
}

// FuzzAppend: any frame gives one printable line, and no decoder panics.
func FuzzAppend(f *testing.F) {
	for i, frame := range seeds(f) {
		f.Add(frame, len(frame), i%2 == 0, i%4)
	}
	hello := frame(f, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), &layers.TCP{PSH: true}, gopacket.Payload(clientHello(f)))
	f.Add(hello, len(hello), false, 0)
	f.Fuzz(func(t *testing.T, frame []byte, wireLen int, link bool, verbose int) {
		p := New(Options{Link: link, Verbose: verbose})
		b := []byte("before ")
		line := string(p.Append(b, testTime, "lo", frame, wireLen))
		checkLines(t, line)
		if !strings.HasPrefix(line, "before 12:34:56.789012 lo ") || len(line) > 1<<18 {
			t.Errorf("line %q", line)
		}
		checkLine(t, string(p.appendDNS(nil, frame, len(frame), multicastDNS)))
		appendTLS(nil, frame)
		checkLine(t, string(appendStream(nil, frame, len(frame), false)))
	})
}

func BenchmarkAppend(b *testing.B) {
	data := samples(b)[1].frame
	p := New(Options{Numeric: true})
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = p.Append(buf[:0], testTime, "lo:inbound-app", data, len(data))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/pkt")
}
