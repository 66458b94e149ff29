package text

import (
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// name encodes a name without compression.
func name(s string) string {
	var out strings.Builder
	for label := range strings.SplitSeq(s, ".") {
		out.WriteString(string([]byte{byte(len(label))}) + label)
	}
	return out.String() + "\x00"
}

// record encodes a record whose name is the first question's.
func record(typ, class uint16, ttl uint32, data string) string {
	return "\xc0\x0c" + string([]byte{byte(typ >> 8), byte(typ), byte(class >> 8), byte(class),
		byte(ttl >> 24), byte(ttl >> 16), byte(ttl >> 8), byte(ttl), byte(len(data) >> 8), byte(len(data))}) + data
}

// message encodes a header, the sections behind it as they are.
func message(flags string, counts [4]byte, sections ...string) string {
	head := "\x30\x39" + flags
	for _, n := range counts {
		head += "\x00" + string([]byte{n})
	}
	return head + strings.Join(sections, "")
}

// dnsMessages are queries and answers, also wrong ones.
func dnsMessages() map[string]string {
	q := func(typ byte) string {
		return name("reviews.default.svc.cluster.local") + "\x00" + string([]byte{typ}) + "\x00\x01"
	}
	opt := func(code byte, options string) string {
		return "\x00\x00\x29\x04\xd0" + string([]byte{code, 0, 0x80, 0, 0, byte(len(options))}) + options
	}
	soa := name("ns.example") + "\x04root\xc0\x0c" + "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05"
	const query, answer = "\x01\x00", "\x85\x80"
	return map[string]string{
		"A?":              message(query, [4]byte{1}, q(1)),
		"AAAA? with EDNS": message("\x01\x20", [4]byte{1, 0, 0, 1}, q(28), opt(0, "\x00\x0a\x00\x08abcdefgh\x00\x0c\x00\x03\x00\x00\x00")),
		"two questions":   message(query, [4]byte{2}, q(255), q(65)),
		"no question":     message(query, [4]byte{}),
		"root":            message(query, [4]byte{1}, "\x00\x00\x02\x00\x01"),
		"chaos":           message("\x00\x10", [4]byte{1}, name("version.bind")+"\x00\x10\x00\x03"),
		"class":           message(query, [4]byte{1}, name("a")+"\x7f\x01\x00\x09"),
		"update":          message("\x28\x00", [4]byte{1, 0, 1}, q(6), record(1, 1, 3600, "\x01\x02\x03\x04")),
		"weird":           message("\x01\x07", [4]byte{1, 1}, q(1), record(1, 1, 3600, "\x01\x02\x03\x04")),
		"A":               message(answer, [4]byte{1, 2}, q(1), record(1, 1, 694861, "\x0a\x60\x00\x01"), record(1, 1, 0, "\x0a\x60\x00\x02")),
		"AAAA":            message("\x81\x00", [4]byte{1, 1}, q(28), record(28, 1, 5, "\xfd\x00"+strings.Repeat("\x00", 13)+"\x01")),
		"CNAME":           message(answer, [4]byte{1, 2}, q(1), record(5, 1, 60, name("other.example")), record(1, 1, 60, "\x0a\x60\x00\x01")),
		"PTR, NS, MX":     message(answer, [4]byte{1, 3}, q(255), record(12, 1, 1, "\x01p\xc0\x0c"), record(2, 1, 1, "\xc0\x14"), record(15, 1, 1, "\x00\x0a\x04mail\xc0\x0c")),
		"SRV":             message(answer, [4]byte{1, 1}, q(33), record(33, 1, 1, "\x00\x01\x00\x02\x1f\x90\x03pod\xc0\x0c")),
		"TXT":             message(answer, [4]byte{1, 1}, q(16), record(16, 1, 1, "\x05hello\x05world")),
		"HTTPS":           message(answer, [4]byte{1, 1}, q(65), record(65, 1, 1, "\x00\x01\x00\x00\x01\x00\x03\x02h2")),
		"CAA":             message(answer, [4]byte{1, 1}, q(1), record(257, 1, 1, "\x00\x05issueca.org")),
		"NXDomain":        message("\x81\x83", [4]byte{1, 0, 1, 1}, q(1), record(6, 1, 30, soa), opt(0, "")),
		"ServFail":        message("\x83\xa2", [4]byte{1}, q(1)),
		"BadVers":         message("\x81\x80", [4]byte{1, 0, 0, 1}, q(1), opt(1, "\x00\x08\x00\x07\x00\x01\x18\x00\x0a\x00\x01")),
		"reserved error":  message("\x81\x8d", [4]byte{1}, q(1)),
		"no question, A":  message(answer, [4]byte{0, 1}, "\x00"+record(1, 1, 1, "\x0a\x60\x00\x02")[2:]),
		"record cut":      message(answer, [4]byte{1, 2}, q(1), record(1, 1, 1, "\x0a\x60\x00\x02"), "\xc0\x0c\x00\x01"),
		"value cut":       message(answer, [4]byte{1, 1}, q(1), record(1, 1, 1, "\x0a\x60\x00\x02")[:14]),
		"question cut":    message(query, [4]byte{1}, "\x07reviews\x07def"),
		"loop":            message(query, [4]byte{1}, "\x01a\xc0\x0c\x00\x01\x00\x01"),
		"pointer on":      message(query, [4]byte{1}, "\xc0\xff\x00\x01\x00\x01"),
		"label kind":      message(query, [4]byte{1}, "\x81a\x00\x00\x01\x00\x01"),
		"header cut":      message(query, [4]byte{})[:11],
		"cache flush":     message("\x84\x00", [4]byte{0, 1}, name("web.local")+"\x00\x01\x80\x01\x00\x00\x00\x78\x00\x04\x0a\x00\x00\x09"),
		"QU":              message("\x00\x00", [4]byte{1}, name("web.local")+"\x00\x01\x80\x01"),
	}
}

// dnsFrames are the messages on the ports of DNS, over UDP and TCP.
func dnsFrames(t testing.TB) (names []string, frames [][]byte) {
	for what, msg := range dnsMessages() {
		for _, port := range []uint16{53, 5353} {
			names = append(names, what)
			frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP),
				&layers.UDP{SrcPort: 40000, DstPort: layers.UDPPort(port)}, gopacket.Payload(msg)))
		}
		prefix := string([]byte{0, byte(len(msg))})
		for _, data := range []string{prefix + msg, "\x00\x00" + msg, msg[:1]} {
			names = append(names, what+" over TCP")
			frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolTCP),
				&layers.TCP{SrcPort: 53, DstPort: 40000, ACK: true, PSH: true}, gopacket.Payload(data)))
		}
	}
	return names, frames
}

// sameAsTcpdump compares the lines of frames with those of the original.
func sameAsTcpdump(t *testing.T, names []string, frames [][]byte, flags string, o Options) {
	t.Helper()
	path := captured(t, frames, always)
	// Names that tcpdump has since version 5.
	newer := strings.NewReplacer("Type65", "HTTPS", "Type257", "CAA")
	want := packetsOf(tcpdump(t, flags, path))
	if len(want) != len(frames) {
		t.Fatalf("tcpdump %s prints %d packets, want %d", flags, len(want), len(frames))
	}
	p := New(o)
	for i, frame := range frames {
		got := string(p.Append(nil, testTime, "", frame, len(frame)))
		if want := newer.Replace(want[i]); got != want {
			t.Errorf("%s with %s\n got %s\nwant %s", names[i], flags, got, want)
		}
	}
}

// packetsOf joins lines that belong to the packet before.
func packetsOf(lines []string) (packets []string) {
	for _, line := range lines {
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(packets) > 0 {
			packets[len(packets)-1] += "\n" + line
			continue
		}
		packets = append(packets, line)
	}
	return packets
}

// TestTcpdumpDNS compares every message with what the original makes of it.
func TestTcpdumpDNS(t *testing.T) {
	names, frames := dnsFrames(t)
	sameAsTcpdump(t, names, frames, "-nS", Options{Numeric: true})
	sameAsTcpdump(t, names, frames, "-nSv", Options{Numeric: true, Verbose: 1})
	sameAsTcpdump(t, names, frames, "-nSvv", Options{Numeric: true, Verbose: 2})
	sameAsTcpdump(t, names, frames, "-nSvvv", Options{Numeric: true, Verbose: 3})
	sameAsTcpdump(t, names, frames, "-nSq", Options{Numeric: true, Quick: true})
}

// TestDNSIsBounded: a message of compressed names, that unfolds into far more,
// gives a line of bounded length, also where it is cut.
func TestDNSIsBounded(t *testing.T) {
	long := name(strings.Repeat(strings.Repeat("x", 63)+".", 3) + strings.Repeat("\x1b", 61))
	question := "\xc0\x0c\x00\x01\x00\x01"
	msg := message("\x01\x00", [4]byte{255}, long+"\x00\x01\x00\x01", strings.Repeat(question, 254))
	for _, verbose := range []int{0, 3} {
		p := New(Options{Verbose: verbose})
		for n := range msg {
			line := string(p.appendDNS(nil, []byte(msg[:n]), len(msg), unicastDNS))
			checkLine(t, line)
			if len(line) > 2*maxMessage {
				t.Fatalf("%d bytes give a line of %d", n, len(line))
			}
		}
	}
}

// TestDNSOnAgentPort: queries that Istio redirects to its agent.
func TestDNSOnAgentPort(t *testing.T) {
	f := frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP),
		&layers.UDP{SrcPort: 40000, DstPort: 15053}, gopacket.Payload(dnsMessages()["A?"]))
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "", f, len(f)))
	if want := "IP 127.0.0.6.40000 > 10.244.0.5.15053: 12345+ A? reviews.default.svc.cluster.local. (51)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
