package text

import (
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

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
		})), "IP " + ends + "Flags [R], seq 1, win 512, options [unknown-200 0x0102], length 0", false},
		{"tcp over ip6", frame(t, e6, ip6(layers.IPProtocolTCP), tcp(func(l *layers.TCP) { l.FIN, l.ACK = true, true })),
			"IP6 fd00::1.41234 > fe80::a:0:0:2.9080: Flags [F.], seq 1, ack 0, win 512, length 0", false},
		{"http", frame(t, e4, ip4(layers.IPProtocolTCP), tcp(func(l *layers.TCP) { l.PSH = true }), http),
			"IP " + ends + `Flags [P], seq 1:38, win 512, length 37: HTTP: GET /a\x1b[31m?\xe2\x80\xae HTTP/1.1`, true},
		{"udp", frame(t, e4, ip4(layers.IPProtocolUDP), udp, gopacket.Payload("hello")),
			"IP 127.0.0.6.5000 > 10.244.0.5.6000: UDP, length 5", false},
		{"udp over ip6", frame(t, e6, ip6(layers.IPProtocolUDP), udp), "IP6 fd00::1.5000 > fe80::a:0:0:2.6000: UDP, length 0", false},
		{"fragment", frame(t, e4, fragment, gopacket.Payload("hello")), "IP " + hosts + "ip-proto-17", false},
		{"other protocol", frame(t, e4, ip4(253), gopacket.Payload("hello")), "IP " + hosts + " ip-proto-253 5", false},
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
			"IP6 fd00::1 > fe80::a:0:0:2: DSTOPT DSTOPT 5000 > 6000: UDP, length 5", false},
		{"arp request", frame(t, ethernet(layers.EthernetTypeARP), arp), "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46", false},
		{"arp reply", frame(t, ethernet(layers.EthernetTypeARP), &reply), "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 46", false},
		{"vlan", frame(t, ethernet(layers.EthernetTypeDot1Q), tagged, ip4(layers.IPProtocolUDP), udp, gopacket.Payload("hello")),
			"IP 127.0.0.6.5000 > 10.244.0.5.6000: UDP, length 5", false},
		{"unknown type", frame(t, ethernet(0x88b5), gopacket.Payload("hello")),
			"02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x88b5), length 60: length 46", true},
	}
}
