package text

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// otherFrames are what IP carries besides TCP and UDP.
func otherFrames(t testing.TB) (names []string, frames [][]byte) {
	e4, e6 := ethernet(layers.EthernetTypeIPv4), ethernet(layers.EthernetTypeIPv6)
	over4 := func(name string, proto layers.IPProtocol, payload string) {
		names = append(names, name)
		frames = append(frames, frame(t, e4, ip4(proto), gopacket.Payload(hexBytes(t, payload))))
	}
	over6 := func(name string, proto layers.IPProtocol, payload string) {
		names = append(names, name+" over ip6")
		frames = append(frames, frame(t, e6, ip6(proto), gopacket.Payload(hexBytes(t, payload))))
	}
	const ports = "0fa0 9b59 00000001 00000000 "
	for name, chunks := range map[string]string{
		"none": "", "data": "00030013 00000007 0001 0002 00000000 616263 00", "data (U)": "00040014 00000007 0001 0002 0000003c 61626364",
		"init": "01000014 0000000a 00010000 000a 07ff 00000063", "init ack": "02000014 0000000a 00010000 000a 07ff 00000063",
		"sack and data": "03000010 00000007 00010000 0000 0000 00030014 00000007 0001 0002 00000000 61626364",
		"cookie":        "0a000008 01020304", "heartbeat": "0400 000c 0001 0008 01020304", "shutdown": "07000008 00000001",
		"abort": "06000004", "forward": "c0000008 01020304", "unknown": "77000008 01020304", "bad length": "00000003", "descriptor cut": "0000",
	} {
		over4("sctp "+name, 132, ports+chunks)
		over6("sctp "+name, 132, ports+chunks)
	}
	for name, m := range map[string]string{
		"v1 query": "11000000 00000000", "v2 query": "1164 0000 00000000", "v2 group query": "110a 0000 e0000001",
		"v3 query": "1164 0000 00000000 027d0000", "v3 group query": "1114 0000 e0000009 027d0001 0a000001",
		"v3 slow query": "11ff 0000 00000000 027d0000", "v3 fast query": "1100 0000 00000000 027d0000",
		"v1 report": "12000000 e0000009", "v2 report": "16000000 e0000009", "leave": "17000000 e0000009",
		"v3 report": "22000000 00000001 04000000 e0000009", "unknown": "99000000 e0000009",
	} {
		sum := hexBytes(t, m)
		s := ^fold(add(0, sum))
		sum[2], sum[3] = byte(s>>8), byte(s)
		names = append(names, "igmp "+name)
		frames = append(frames, frame(t, e4, ip4(2), gopacket.Payload(sum)))
	}
	inner := frame(t, ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 6000}, gopacket.Payload("12345678"))
	inside := func(head string) string { return string(append(hexBytes(t, head), inner...)) }
	for name, head := range map[string]string{
		"plain": "0000 0800", "key": "2000 0800 0000002a", "all": "b000 0800 1234 0000 0000002a 00000007",
	} {
		names = append(names, "gre "+name)
		frames = append(frames, frame(t, e4, ip4(47), gopacket.Payload(inside(head))))
	}
	names = append(names, "ipip")
	frames = append(frames, frame(t, e4, ip4(4), gopacket.Payload(inside(""))))
	names = append(names, "ip4 in ip6")
	frames = append(frames, frame(t, e6, ip6(4), gopacket.Payload(inside(""))))
	over4("gre unknown", 47, "0000 1234 0102")
	over4("esp", 50, "0000002a 00000001 0102030405060708")
	over6("esp", 50, "0000002a 00000001 0102030405060708")
	over4("ah", 51, "11 04 0000 0000002a 00000001 010203040506070809101112 0fa0 1770 0009 0000 61")
	over4("no next header", 59, "")
	over4("unknown", 253, "0102")
	over6("unknown", 253, "0102")
	over6("first fragment", 44, "11 00 0001 00000009 0fa0 1770 0100 0000 61626364")
	over6("later fragment", 44, "11 00 0101 00000009 61626364")
	return names, frames
}

// TestTcpdumpOthers compares them with what the original prints.
func TestTcpdumpOthers(t *testing.T) {
	names, frames := otherFrames(t)
	sameAsTcpdump(t, names, frames, "-nS", Options{Numeric: true})
	sameAsTcpdump(t, names, frames, "-nSe", Options{Numeric: true, Link: true})
	sameAsTcpdump(t, names, frames, "-nSv", Options{Numeric: true, Verbose: 1})
	sameAsTcpdump(t, names, frames, "-nSq", Options{Numeric: true, Quick: true})
}

// TestTcpdumpVerbose compares ICMP and ARP with -v.
func TestTcpdumpVerbose(t *testing.T) {
	var names []string
	var frames [][]byte
	for _, s := range samples(t) {
		switch s.name {
		case "echo request", "echo reply", "echo request over ip6", "arp request", "arp reply", "udp over ip6", "neighbor solicitation", "neighbor advertisement":
			names, frames = append(names, s.name), append(frames, s.frame)
		}
	}
	const target = "000000 fd000000000000000000000000000009"
	for _, flags := range []string{"80", "60", "e0"} {
		names = append(names, "advertisement with flags "+flags)
		body := gopacket.Payload(hexBytes(t, flags+target))
		frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolICMPv6),
			&layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(136, 0)}, body))
	}
	sameAsTcpdump(t, names, frames, "-nv", Options{Numeric: true, Verbose: 1})
}
