package text

import (
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"icap/pcapwriter"
)

var testTime = time.Date(2024, 2, 29, 12, 34, 56, 789012345, time.UTC)

// ethernet is the link layer of the test's frames.
func ethernet(typ layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{
		SrcMAC:       net.HardwareAddr{2, 0, 0, 0, 0, 1},
		DstMAC:       net.HardwareAddr{2, 0, 0, 0, 0, 2},
		EthernetType: typ,
	}
}

func ip4(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Protocol: proto,
		SrcIP: net.IPv4(127, 0, 0, 6).To4(), DstIP: net.IPv4(10, 244, 0, 5).To4(),
	}
}

func ip6(proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: proto,
		SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fe80::a:0:0:2"),
	}
}

// frame serializes layers with lengths and checksums that are right.
func frame(t testing.TB, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	for _, l := range ls {
		for _, ip := range ls {
			n, ok := ip.(gopacket.NetworkLayer)
			if !ok {
				continue
			}
			switch l := l.(type) {
			case *layers.TCP:
				l.SetNetworkLayerForChecksum(n)
			case *layers.UDP:
				l.SetNetworkLayerForChecksum(n)
			case *layers.ICMPv6:
				l.SetNetworkLayerForChecksum(n)
			}
		}
	}
	b := gopacket.NewSerializeBuffer()
	o := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(b, o, ls...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hexBytes decodes hex with spaces.
func hexBytes(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A sample is a frame and the line it is to give, without the time.
type sample struct {
	name  string
	frame []byte
	want  string
	ours  bool // the line says more than tcpdump's, or says it otherwise
}

func samples(t testing.TB) []sample {
	tcp := func(f func(*layers.TCP)) *layers.TCP {
		l := &layers.TCP{SrcPort: 41234, DstPort: 9080, Seq: 1, Window: 512}
		f(l)
		return l
	}
	option := func(kind layers.TCPOptionKind, data string) layers.TCPOption {
		d := hexBytes(t, data)
		return layers.TCPOption{OptionType: kind, OptionLength: uint8(len(d) + 2), OptionData: d}
	}
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop}
	udp := &layers.UDP{SrcPort: 5000, DstPort: 6000}
	arp := &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4,
		HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
		SourceHwAddress: []byte{2, 0, 0, 0, 0, 1}, SourceProtAddress: []byte{10, 0, 0, 1},
		DstHwAddress: make([]byte, 6), DstProtAddress: []byte{10, 0, 0, 2},
	}
	reply := *arp
	reply.Operation = layers.ARPReply
	inner := frame(t, ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 5353}, gopacket.Payload("12345678"))
	fragment := ip4(layers.IPProtocolUDP)
	fragment.FragOffset = 185
	tagged := &layers.Dot1Q{VLANIdentifier: 100, Priority: 3, Type: layers.EthernetTypeIPv4}
	neighbor := append(make([]byte, 4), net.ParseIP("fd00::9")...)
	icmp4 := func(typ, code uint8) *layers.ICMPv4 {
		return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(typ, code), Id: 7, Seq: 9}
	}
	icmp6 := func(typ uint8) *layers.ICMPv6 {
		return &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(typ, 0)}
	}
	e4, e6 := ethernet(layers.EthernetTypeIPv4), ethernet(layers.EthernetTypeIPv6)
	hosts := "127.0.0.6 > 10.244.0.5: "
	ends := "127.0.0.6.41234 > 10.244.0.5.9080: "
	http := gopacket.Payload("GET /a\x1b[31m?\u202e HTTP/1.1\r\nHost: x\r\n\r\n")
	return []sample{
		{"syn", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) {
			l.SYN = true
			l.Seq = 4294967295
			l.Options = []layers.TCPOption{
				option(layers.TCPOptionKindMSS, "ffd7"), option(layers.TCPOptionKindSACKPermitted, ""),
				option(layers.TCPOptionKindTimestamps, "ffffffff00000000"), nop,
				option(layers.TCPOptionKindWindowScale, "07"),
			}
		})), "IP " + ends + "Flags [S], seq 4294967295, win 512, options [mss 65495,sackOK,TS val 4294967295 ecr 0,nop,wscale 7], length 0", false},
		{"data", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) { l.PSH, l.ACK, l.Ack = true, true, 1 }), gopacket.Payload(strings.Repeat("x", 78))),
			"IP " + ends + "Flags [P.], seq 1:79, ack 1, win 512, length 78", false},
		{"ack with sack", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) {
			l.ACK, l.Ack = true, 5
			l.Options = []layers.TCPOption{nop, nop, option(layers.TCPOptionKindSACK, "00000010 00000020 00000030 00000040")}
		})), "IP " + ends + "Flags [.], ack 5, win 512, options [nop,nop,sack 2 {16:32}{48:64}], length 0", false},
		{"all flags", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) {
			l.FIN, l.SYN, l.RST, l.PSH, l.ACK, l.URG, l.ECE, l.CWR = true, true, true, true, true, true, true, true
			l.Urgent = 3
		})), "IP " + ends + "Flags [FSRP.UEW], seq 1, ack 0, win 512, urg 3, length 0", false},
		{"no flags", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(*layers.TCP) {})),
			"IP " + ends + "Flags [none], win 512, length 0", false},
		{"unknown option", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) {
			l.RST = true
			l.Options = []layers.TCPOption{option(200, "0102")}
		})), "IP " + ends + "Flags [R], seq 1, win 512, options [unknown-200], length 0", true},
		{"tcp over ip6", frame(t, e6, ip6(layers.IPProtocolTCP), tcp(func(l *layers.TCP) { l.FIN, l.ACK = true, true })),
			"IP6 fd00::1.41234 > fe80::a:0:0:2.9080: Flags [F.], seq 1, ack 0, win 512, length 0", false},
		{"http", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) { l.PSH = true }), http),
			"IP " + ends + `Flags [P], seq 1:38, win 512, length 37: HTTP: GET /a\x1b[31m?\xe2\x80\xae HTTP/1.1`, true},
		{"udp", frame(t, e4, ip4(layers.IPProtocolUDP), udp, gopacket.Payload("hello")),
			"IP 127.0.0.6.5000 > 10.244.0.5.6000: UDP, length 5", false},
		{"udp over ip6", frame(t, e6, ip6(layers.IPProtocolUDP), udp), "IP6 fd00::1.5000 > fe80::a:0:0:2.6000: UDP, length 0", false},
		{"fragment", frame(t, e4, fragment, gopacket.Payload("hello")), "IP " + hosts + "ip-proto-17", false},
		{"other protocol", frame(t, e4, ip4(253), gopacket.Payload("hello")), "IP " + hosts + "ip-proto-253 5", true},
		{"echo request", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(8, 0), gopacket.Payload("hello")), "IP " + hosts + "ICMP echo request, id 7, seq 9, length 13", false},
		{"echo reply", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(0, 0)), "IP " + hosts + "ICMP echo reply, id 7, seq 9, length 8", false},
		{"port unreachable", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(3, 3), gopacket.Payload(inner)),
			"IP " + hosts + "ICMP 10.244.0.5 udp port 5353 unreachable, length 44", false},
		{"host unreachable", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(3, 1), gopacket.Payload(inner)),
			"IP " + hosts + "ICMP host 10.244.0.5 unreachable, length 44", false},
		{"need to frag", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(3, 4), gopacket.Payload(inner)),
			"IP " + hosts + "ICMP 10.244.0.5 unreachable - need to frag (mtu 9), length 44", false},
		{"time exceeded", frame(t, e4, ip4(layers.IPProtocolICMPv4), icmp4(11, 0), gopacket.Payload(inner)),
			"IP " + hosts + "ICMP time exceeded in-transit, length 44", false},
		{"echo request over ip6", frame(t, e6, ip6(layers.IPProtocolICMPv6), icmp6(128), gopacket.Payload("\x00\x07\x00\x09hello")),
			"IP6 fd00::1 > fe80::a:0:0:2: ICMP6, echo request, id 7, seq 9, length 13", false},
		{"neighbor solicitation", frame(t, e6, ip6(layers.IPProtocolICMPv6), icmp6(135), gopacket.Payload(neighbor)),
			"IP6 fd00::1 > fe80::a:0:0:2: ICMP6, neighbor solicitation, who has fd00::9, length 24", false},
		{"neighbor advertisement", frame(t, e6, ip6(layers.IPProtocolICMPv6), icmp6(136), gopacket.Payload(neighbor)),
			"IP6 fd00::1 > fe80::a:0:0:2: ICMP6, neighbor advertisement, tgt is fd00::9, length 24", false},
		{"extension headers", frame(t, e6, ip6(layers.IPProtocolIPv6Destination),
			gopacket.Payload("\x3c\x00\x01\x04\x00\x00\x00\x00\x11\x00\x01\x04\x00\x00\x00\x00\x13\x88\x17\x70\x00\x0d\x00\x00hello")),
			"IP6 fd00::1.5000 > fe80::a:0:0:2.6000: UDP, length 5", true},
		{"arp request", frame(t, ethernet(layers.EthernetTypeARP), arp), "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46", false},
		{"arp reply", frame(t, ethernet(layers.EthernetTypeARP), &reply), "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 46", false},
		{"vlan", frame(t, ethernet(layers.EthernetTypeDot1Q), tagged, ip4(layers.IPProtocolUDP), udp, gopacket.Payload("hello")),
			"IP 127.0.0.6.5000 > 10.244.0.5.6000: UDP, length 5", false},
		{"unknown type", frame(t, ethernet(0x88b5), gopacket.Payload("hello")),
			"02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x88b5), length 60: length 46", true},
	}
}

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

// TestTcpdump compares every line with that of the original, with and without
// the link layer.
func TestTcpdump(t *testing.T) {
	path := filepath.Join(t.TempDir(), "samples.pcapng")
	f, err := pcapwriter.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := pcapwriter.NewWriter(f, &pcapwriter.Header{
		Interfaces: []pcapwriter.Interface{{Name: "lo", LinkType: 1, Snaplen: 262144}},
	}, pcapwriter.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var same []sample
	for _, s := range samples(t) {
		if s.ours {
			continue
		}
		same = append(same, s)
		if err := w.WritePacket(&pcapwriter.Packet{Time: testTime.UnixNano(), Data: s.frame}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags   string
		options Options
	}{
		{"-nS", Options{Numeric: true}},
		{"-nSe", Options{Numeric: true, Link: true}},
		{"-nSt", Options{Numeric: true, Time: TimeNone}},
		{"-nStt", Options{Numeric: true, Time: TimeEpoch}},
		{"-nStttt", Options{Numeric: true, Time: TimeDate}},
	} {
		lines := tcpdump(t, test.flags, path)
		if len(lines) != len(same) {
			t.Fatalf("tcpdump %s prints %d lines, want %d", test.flags, len(lines), len(same))
		}
		for i, s := range same {
			got := string(New(test.options).Append(nil, testTime, "", s.frame, len(s.frame)))
			if want := lines[i]; got != want {
				t.Errorf("%s with %s\n got %s\nwant %s", s.name, test.flags, got, want)
			}
		}
	}
}

// tcpdump returns what tcpdump prints of a file.
func tcpdump(t *testing.T, flags, path string) []string {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("ICAP_TEST_ROOT") == "1" {
			t.Fatal("ICAP_TEST_ROOT=1, but there is no tcpdump")
		}
		t.Skip("no tcpdump")
	}
	cmd := exec.Command("tcpdump", flags, "-r", path)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestTruncated cuts every sample at every byte: no panic, and the line says
// so where a header is cut.
func TestTruncated(t *testing.T) {
	p := New(Options{})
	for _, s := range samples(t) {
		for n := range s.frame {
			checkLine(t, string(p.Append(nil, testTime, "", s.frame[:n], len(s.frame))))
		}
	}
	syn := samples(t)[0].frame
	for n, want := range map[int]string{
		0:  "[|ether]",
		13: "[|ether]",
		14: "IP [|ip]",
		33: "IP [|ip]",
		34: "IP 127.0.0.6 > 10.244.0.5: [|tcp]",
		53: "IP 127.0.0.6 > 10.244.0.5: [|tcp]",
		54: "IP 127.0.0.6.41234 > 10.244.0.5.9080: Flags [S], seq 4294967295, win 512, options [|tcp]",
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
		{"ip version", mac + "0800 75000014" + v4, "IP bad-header 0x75"},
		{"ip header length", mac + "0800 44000014" + v4, "IP bad-header 0x44"},
		{"ip length", mac + "0800 45000013" + v4, "IP bad-len 19"},
		{"ip options cut", mac + "0800 46000018" + v4, "IP [|ip]"},
		{"tcp header length", mac + "0800 45000028" + v4 + "00010002 00000000 00000000 40020000 00000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [S], bad hdr length 16"},
		{"tcp options", mac + "0800 4500002c" + v4 + "00010002 00000000 00000000 60100000 00000000 0101 02ff",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], ack 0, win 0, options [nop,nop,[bad opt]], length 0"},
		{"tcp end of options", mac + "0800 4500002c" + v4 + "00010002 00000000 00000000 60100000 00000000 01000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], ack 0, win 0, options [nop,eol], length 0"},
		{"tcp of an offloaded giant", mac + "0800 45000000" + v4 + "00010002 00000000 00000000 50100000 00000000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: Flags [.], seq 0:99946, ack 0, win 0, length 99946"},
		{"udp length", mac + "0800 4500001c 0000 0000 4011 0000 7f000006 0af40005 00010002 0007 0000",
			"IP 127.0.0.6.1 > 10.244.0.5.2: truncated-udplength 7"},
		{"ip6 version", mac + "86dd 50000000 0000 3b40" + v6, "IP6 bad-header 0x50"},
		{"ip6 no next header", mac + "86dd 60000000 0000 3b40" + v6, "IP6 fd00::1 > fd00::2: no next header"},
		{"ip6 extension cut", mac + "86dd 60000000 0008 0040" + v6 + "1100", "IP6 fd00::1 > fd00::2: [|ip6]"},
		{"ip6 extension too long", mac + "86dd 60000000 0008 3c40" + v6 + "11ff000000000000", "IP6 fd00::1 > fd00::2: [|ip6]"},
		{"ip6 fragment", mac + "86dd 60000000 0008 2c40" + v6 + "1100 04d0 00000001", "IP6 fd00::1 > fd00::2: frag 1232"},
		{"arp of another kind", mac + "0806 0006 0800 06 04 0001" + strings.Repeat("00", 20), "ARP, Unknown, length 99986"},
		{"arp operation", mac + "0806 0001 0800 06 04 0009" + strings.Repeat("00", 20), "ARP, op 9, length 99986"},
		{"vlan cut", mac + "8100 00", "[|vlan]"},
		{"802.3", mac + "0010 4242", "02:00:00:00:00:01 > 02:00:00:00:00:02, 802.3, length 100000: length 99986"},
	} {
		got := string(New(Options{Time: TimeNone, Numeric: true}).Append(nil, testTime, "", hexBytes(t, test.frame), 100_000))
		if got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestTimeNano(t *testing.T) {
	got := string(New(Options{Time: TimeNano}).Append(nil, testTime, "", nil, 0))
	if want := "12:34:56.789012345 [|ether]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLabelIsEscaped(t *testing.T) {
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "e\x1bth\n\\0ä", nil, 0))
	if want := `e\x1bth\x0a\\0\xc3\xa4 [|ether]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPortNames(t *testing.T) {
	f := frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 53, DstPort: 443})
	got := string(New(Options{Time: TimeNone}).Append(nil, testTime, "", f, len(f)))
	if want := "IP 127.0.0.6.domain > 10.244.0.5.https: UDP, length 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTLS looks at the hellos of a real handshake.
func TestTLS(t *testing.T) {
	for _, test := range []struct {
		name  string
		hello []byte
		want  string
	}{
		{"client", clientHello(t), ": TLS: ClientHello, SNI reviews.default.svc, ALPN istio,h2"},
		{"record only", []byte{22, 3, 1, 0, 1}, ""},
		{"other handshake", []byte{22, 3, 1, 0, 1, 11, 0}, ""},
		{"server, cut", []byte{22, 3, 3, 0, 1, 2, 0}, ": TLS: ServerHello"},
	} {
		// The order of the extensions is the client's choice.
		got := string(appendStream(nil, test.hello))
		if swapped := ": TLS: ClientHello, ALPN istio,h2, SNI reviews.default.svc"; got != test.want && got != swapped {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// clientHello returns the first record of Go's TLS client.
func clientHello(t testing.TB) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		defer client.Close()
		tls.Client(client, &tls.Config{
			ServerName: "reviews.default.svc",
			NextProtos: []string{"istio", "h2"},
		}).Handshake()
	}()
	header := make([]byte, 5)
	if _, err := io.ReadFull(server, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, be16(header[3:]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

func TestHTTPLine(t *testing.T) {
	for in, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a": ": HTTP: GET / HTTP/1.1",
		"HTTP/1.1 200 OK\r\n":       ": HTTP: HTTP/1.1 200 OK",
		"PRI * HTTP/2.0\r\n\r\nSM":  ": HTTP: PRI * HTTP/2.0",
		"GET /cut":                  ": HTTP: GET /cut",
		"GET ":                      "",
		"GETS / HTTP/1.1":           "",
		"":                          "",
		"POST /" + strings.Repeat("x", 300) + " HTTP/1.1": ": HTTP: POST /" + strings.Repeat("x", maxLine-6) + "...",
	} {
		if got := string(appendStream(nil, []byte(in))); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestAppendAllocs(t *testing.T) {
	p := New(Options{})
	b := make([]byte, 0, 1024)
	for _, s := range samples(t) {
		n := testing.AllocsPerRun(100, func() {
			b = p.Append(b[:0], testTime, "lo", s.frame, len(s.frame))
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
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

// FuzzAppend: any frame gives one printable line, and no decoder panics.
func FuzzAppend(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.frame, len(s.frame), true)
	}
	hello := frame(f, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), &layers.TCP{PSH: true}, gopacket.Payload(clientHello(f)))
	f.Add(hello, len(hello), false)
	f.Fuzz(func(t *testing.T, frame []byte, wireLen int, link bool) {
		p := New(Options{Link: link})
		b := []byte("before ")
		line := string(p.Append(b, testTime, "lo", frame, wireLen))
		checkLine(t, line)
		if !strings.HasPrefix(line, "before 12:34:56.789012 lo ") || len(line) > 4096 {
			t.Errorf("line %q", line)
		}
		appendTLS(nil, frame)
		checkLine(t, string(appendStream(nil, frame)))
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
