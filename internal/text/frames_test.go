package text

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// framesOf are frames with a name each.
type framesOf struct {
	t      testing.TB
	names  []string
	frames [][]byte
}

func (f *framesOf) add(name string, ls ...gopacket.SerializableLayer) {
	f.t.Helper()
	f.names = append(f.names, name)
	f.frames = append(f.frames, frame(f.t, ls...))
}

// icmp adds a message of ICMP, with a checksum.
func (f *framesOf) icmp(name, head string, rest ...byte) {
	m := append(hexBytes(f.t, head), rest...)
	s := ^fold(add(0, m))
	m[2], m[3] = byte(s>>8), byte(s)
	f.add("icmp "+name, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolICMPv4), gopacket.Payload(m))
}

// icmp6 adds a message of ICMPv6, with a checksum.
func (f *framesOf) icmp6(name, head string, rest ...byte) {
	m := append(hexBytes(f.t, head), rest...)
	l := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(m[0], m[1])}
	f.add("icmp6 "+name, ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolICMPv6), l, gopacket.Payload(m[4:]))
}

// commonFrames are what TestTcpdumpBroadly begins with.
func commonFrames(t testing.TB) ([]string, [][]byte) {
	f := &framesOf{t: t}
	for _, s := range samples(t) {
		if !s.ours {
			f.names, f.frames = append(f.names, s.name), append(f.frames, s.frame)
		}
	}
	for _, more := range []func(testing.TB) ([]string, [][]byte){otherFrames, dnsFrames} {
		names, frames := more(t)
		f.names, f.frames = append(f.names, names...), append(f.frames, frames...)
	}
	f.errors()
	f.queries()
	f.discovery()
	f.listeners()
	f.options4()
	f.extensions6()
	f.tcpOptions()
	f.questions()
	f.tags()
	f.overlays()
	return f.names, f.frames
}

// errors are those of ICMP and ICMPv6, of every code, with the packets that
// they are about.
func (f *framesOf) errors() {
	udp := frame(f.t, ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 6000}, gopacket.Payload("12345678"))
	tcp := frame(f.t, ip4(layers.IPProtocolTCP), &layers.TCP{SrcPort: 41234, DstPort: 8080, SYN: true, Seq: 7, Window: 512})
	other := frame(f.t, ip4(253), gopacket.Payload("12345678"))
	quoted := map[string][]byte{"udp": udp, "tcp": tcp, "tcp's first bytes": tcp[:28], "other": other}
	for what, q := range quoted {
		for code := range 17 {
			f.icmp(what+" unreachable", "03"+hexByte(code)+"0000 0000 05dc", q...)
		}
		for code := range 5 {
			f.icmp(what+" redirect", "05"+hexByte(code)+"0000 0a000001", q...)
		}
		for code := range 3 {
			f.icmp(what+" time exceeded", "0b"+hexByte(code)+"0000 00000000", q...)
			f.icmp(what+" parameter", "0c"+hexByte(code)+"0000 14000000", q...)
		}
		f.icmp(what+" no mtu", "0304 0000 0000 0000", q...)
		f.icmp(what+" source quench", "0400 0000 0000 0000", q...)
	}
	udp6 := frame(f.t, ip6(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 6000}, gopacket.Payload("12345678"))
	tcp6 := frame(f.t, ip6(layers.IPProtocolTCP), &layers.TCP{SrcPort: 41234, DstPort: 8080, SYN: true, Seq: 7})
	behind := frame(f.t, ip6(layers.IPProtocolIPv6Destination), gopacket.Payload("\x11\x00\x01\x04\x00\x00\x00\x00\x13\x88\x17\x70\x00\x0d\x00\x00hello"))
	for what, q := range map[string][]byte{"udp": udp6, "tcp": tcp6, "udp behind options": behind} {
		for code := range 8 {
			f.icmp6(what+" unreachable", "01"+hexByte(code)+"0000 00000000", q...)
		}
		for code := range 6 {
			f.icmp6(what+" parameter", "04"+hexByte(code)+"0000 00000028", q...)
		}
		for code := range 3 {
			f.icmp6(what+" time exceeded", "03"+hexByte(code)+"0000 00000000", q...)
		}
		f.icmp6(what+" too big", "0200 0000 000005dc", q...)
	}
}

func hexByte(n int) string { return string([]byte{hexDigits[n>>4], hexDigits[n&0xf]}) }

// queries are those of ICMP, and their answers.
func (f *framesOf) queries() {
	for name, m := range map[string]string{
		"router advertisement": "0900 0000 0202 0708 0a000001 00000000 0a000002 80000000",
		"short advertisement":  "0900 0000 0101 003b 0a000001 00000000",
		"long advertisement":   "0900 0000 0102 ffff 0a000001 00000000",
		"router solicitation":  "0a00 0000 00000000",
		"time stamp":           "0d00 0000 0007 0009 00000001 00000000 00000000",
		"time stamp reply":     "0e00 0000 0007 0009 00000001 0526 5bff 0333 1234",
		"information":          "0f00 0000 0007 0009", "informed": "1000 0000 0007 0009",
		"mask": "1100 0000 0007 0009 00000000", "mask reply": "1200 0000 0007 0009 ffffff00",
		"unknown": "2900 0000 0007 0009", "echo": "0800 0000 0007 0009 6162",
	} {
		f.icmp(name, m)
	}
	f.add("icmp over ip6", ethernet(layers.EthernetTypeIPv6), ip6(1), gopacket.Payload("\x08\x00\x00\x00\x00\x00\x00\x00"))
	f.add("icmp6 over ip4", ethernet(layers.EthernetTypeIPv4), ip4(58), gopacket.Payload("\x80\x00\x00\x00\x00\x00\x00\x00"))
	f.add("igmp over ip6", ethernet(layers.EthernetTypeIPv6), ip6(2), gopacket.Payload("\x16\x00\x00\x00\xe0\x00\x00\x09"))
}

// discovery is that of neighbours and routers, with every option.
func (f *framesOf) discovery() {
	const (
		target  = "fd000000 00000000 00000000 00000009 "
		link    = "0101 020000000001 "
		to      = "0201 020000000002 "
		mtu     = "0501 0000 000005dc "
		prefix  = "0304 40c0 00015180 ffffffff 00000000 fd000000 00000000 00000000 00000000 "
		servers = "1905 0000 0000003c " + target + target
		domains = "1f03 0000 0000003c 03666f6f 03626172 00 0162 0000000000 00 "
		route   = "1802 4018 00000708 fd000000 00000000 "
		other   = "c801 0102 0304 0506 "
	)
	for name, m := range map[string]string{
		"rs": "8500 0000 00000000 " + link, "rs bare": "8500 0000 00000000",
		"ra":       "8600 0000 40c8 0708 00000001 00000002 " + link + mtu + prefix + servers + domains + route,
		"ra other": "8600 0000 4018 0000 00000001 00000002 " + other + mtu,
		"ns":       "8700 0000 00000000 " + target + link, "na": "8800 0000 e0000000 " + target + to,
		"na bare": "8800 0000 00000000 " + target, "redirect": "8900 0000 00000000 " + target + target + to,
		"redirected": "8900 0000 00000000 " + target + target + "0402 0000 00000000 60000000 00000000",
		"no length":  "8700 0000 00000000 " + target + "0100", "cut": "8700 0000 00000000 " + target + "0103 0102",
		"unknown": "9900 0000 01020304 05060708", "rs short": "8500 0000",
	} {
		f.icmp6(name, m)
	}
}

// listeners are those of multicast.
func (f *framesOf) listeners() {
	const group, source = "ff020000 00000000 00000000 00000016 ", "fd000000 00000000 00000000 00000003 "
	for name, m := range map[string]string{
		"query": "8200 0000 03e8 0000 " + group, "report": "8300 0000 0000 0000 " + group, "done": "8400 0000 0000 0000 " + group,
		"query 2": "8200 0000 03e8 0000 " + group + "027d 0000", "query with sources": "8200 0000 9123 0000 " + group + "0a8f 0002 " + source + source,
		"query with a lie": "8200 0000 03e8 0000 " + group + "027d 0003 " + source, "query odd": "8200 0000 03e8 0000 " + group + "02",
		"report 2": "8f00 0000 0000 0002 0400 0000 " + group + "0100 0001 " + group + source, "report lies": "8f00 0000 0000 0003 0900 0000 " + group,
		"report lies more": "8f00 0000 0000 0001 0200 0009 " + group, "report empty": "8f00 0000 0000 0000", "report short": "8f00 0000",
	} {
		f.icmp6("mld "+name, m)
	}
}

// options4 are those of IPv4.
func (f *framesOf) options4() {
	for name, o := range map[string]string{
		"record": "070b 08 0a000001 00000000 00",
		"loose":  "0183 0704 0a000001 01 01 01 01", // behind a no-op
		"strict": "8907 08 0a000001 00",
		"stamps": "440c 05 00 00000001 00000002", "stamps with hosts": "440c 0d 11 0a000001 00000001", "stamps prescribed": "440c 05 03 0a000001 00000001",
		"bad stamps": "4406 01 02 0000 0101", "alert": "9404 0000", "alert value": "9404 0007", "security": "8204 0000", "unknown": "5e04 0102",
		"bad length": "0701 0000", "too long": "0709 0400", "end": "0000 0000", "bad pointer": "0707 03 0a000001 01", "short": "0702 0101", "traceroute": "5204 0000",
	} {
		ip := ip4(layers.IPProtocolUDP)
		data := hexBytes(f.t, o)
		for len(data)%4 != 0 {
			data = append(data, 0)
		}
		segment := frame(f.t, ip, &layers.UDP{SrcPort: 5000, DstPort: 6000}, gopacket.Payload("hello"))
		head := slices.Concat(segment[:20], data)
		head[0] = 0x40 | byte(len(head)/4)
		head[3] += byte(len(data))
		head[10], head[11] = 0, 0
		s := ^fold(add(0, head))
		head[10], head[11] = byte(s>>8), byte(s)
		f.add("ip4 "+name, ethernet(layers.EthernetTypeIPv4), gopacket.Payload(slices.Concat(head, segment[20:])))
	}
	first := ip4(layers.IPProtocolUDP)
	first.Flags = layers.IPv4MoreFragments
	f.add("first fragment", ethernet(layers.EthernetTypeIPv4), first, gopacket.Payload("\x13\x88\x17\x70\x08\x00\x00\x01hello"))
	echo := ip4(layers.IPProtocolICMPv4)
	echo.Flags = layers.IPv4MoreFragments | layers.IPv4DontFragment | layers.IPv4EvilBit
	f.add("first fragment of an echo", ethernet(layers.EthernetTypeIPv4), echo, gopacket.Payload("\x08\x00\x00\x01\x00\x00\x00\x01hello"))
}

// extensions6 are the extension headers of IPv6.
func (f *framesOf) extensions6() {
	const (
		udp  = "1388 1770 000d 0000 68656c6c6f"
		tcp  = "1388 1770 00000001 00000000 5002 0200 0000 0000"
		hop  = "fd000000 00000000 00000000 00000003 "
		seg2 = hop + hop
	)
	for _, x := range []struct {
		name string
		next layers.IPProtocol
		data string
	}{
		{"alert", 0, "3a00 0502 0000 0100 8f00 0000 0000 0000"}, {"padding", 0, "1100 0001 0101 0000 " + udp}, {"bytes of padding", 0, "1100 000000000000 " + udp},
		{"alert too long", 0, "1100 0504 00000000 " + udp}, {"option cut", 0, "1100 0505 00000000 " + udp}, {"unknown option", 0, "1100 2604 01020304 " + udp},
		{"options", 60, "1100 0104 00000000 " + udp}, {"options of a segment", 60, "0600 0104 00000000 " + tcp},
		{"home", 60, "1102 c910 " + hop + "0102 0000 " + udp}, {"both", 0, "3c00 0502 0000 0100 1100 0104 00000000 " + udp},
		{"segments", 43, "1104 0401 0100 0007 " + seg2 + udp}, {"source route", 43, "1102 0001 00000000 " + hop + udp}, {"mobile", 43, "1102 0201 00000001 " + hop + udp},
		{"unknown route", 43, "1100 0900 00000000 " + udp}, {"odd route", 43, "1101 0401 0000 0000 0000000000000000" + udp}, {"route of a segment", 43, "0602 0400 0000 0000 " + hop + tcp},
		{"fragment", 44, "1100 0001 00000009 " + udp}, {"fragment of a segment", 44, "0600 0001 00000009 " + tcp}, {"later", 44, "1100 0108 00000009 " + udp}, {"last", 44, "1100 0109 00000009 " + udp},
		{"fragment of options", 44, "3c00 0001 00000009 1100 0104 00000000 " + udp}, {"options, fragment", 60, "2c00 0104 00000000 1100 0001 00000009 " + udp},
		{"sctp behind options", 60, "8400 0104 00000000 1388 1770 00000000 00000000 07000008 00000001"}, {"nothing behind options", 60, "3b00 0104 00000000"},
		{"echo behind options", 60, "3a00 0104 00000000 8000 0000 0007 0009"}, {"unknown behind options", 60, "fd00 0104 00000000 0102"},
	} {
		f.add("ip6 "+x.name, ethernet(layers.EthernetTypeIPv6), ip6(x.next), gopacket.Payload(hexBytes(f.t, x.data)))
	}
}

// tcpOptions are those of TCP, and RSTs with a reason.
func (f *framesOf) tcpOptions() {
	for name, o := range map[string]string{
		"mss": "020405b4", "bad mss": "0203 0500", "long mss": "0206 05b4 0101", "wscale": "030307 01", "sack ok": "0402 0101", "timestamp": "080a 00000001 00000002 0101",
		"short timestamp": "0806 00000001 0101", "sack": "0101 0512 00000010 00000020 00000030 00000040", "bad sack": "0506 00000001 0101", "md5": "1312 0102030405060708090a0b0c0d0e0f10 0101",
		"timeout": "1c04 803c", "timeout in seconds": "1c04 003c", "auth": "1d10 0102 0102030405060708090a0b0c", "bad auth": "1d03 01 01", "fast open": "220a 0102030405060708 0101", "fast open asks": "2202 0101",
		"bad fast open": "2205 010203 01 0101", "trial of fast open": "fe0c f989 0102030405060708", "trial": "fe06 1234 0102 0101", "short trial": "fe03 01 01", "unknown": "c804 0102", "unknown empty": "c802 0101",
		"end": "01 00 0101", "too long": "0101 02ff", "no length": "0100 0002 0000 0002", "length 1": "0201 0101",
	} {
		data := hexBytes(f.t, o)
		for len(data)%4 != 0 {
			data = append(data, 1)
		}
		head := append(hexBytes(f.t, "1388 1770 00000001 00000007 "+string([]byte{hexDigits[5+len(data)/4]})+"012 0200 0000 0000"), data...)
		f.add("tcp "+name, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), gopacket.Payload(head))
		f.add("tcp "+name+" with data", ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolTCP), gopacket.Payload(string(head)+"data"))
	}
	for _, why := range []string{"no such service", strings.Repeat("long ", 20)} {
		f.add("tcp reset", ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), &layers.TCP{SrcPort: 5000, DstPort: 6000, RST: true}, gopacket.Payload(why))
	}
}

// questions are those of ARP.
func (f *framesOf) questions() {
	const from, to = "020000000001 0a000001 ", "000000000000 0a000002 "
	for name, m := range map[string]string{
		"probe": "0001 0800 0604 0001 020000000001 00000000 " + to, "for a known host": "0001 0800 0604 0001 " + from + "020000000002 0a000002",
		"gratuitous": "0001 0800 0604 0001 " + from + "ffffffffffff 0a000001", "reverse": "0001 0800 0604 0003 " + from + to, "reverse reply": "0001 0800 0604 0004 " + from + to,
		"inverse": "0001 0800 0604 0008 " + from + to, "inverse reply": "0001 0800 0604 0009 " + from + to, "unknown": "0001 0800 0604 0007 " + from + to,
		"infiniband": "0020 0800 1404 0002 " + strings.Repeat("01", 20) + "0a000001" + strings.Repeat("02", 20) + "0a000002", "other hardware": "0006 0800 0604 0001 " + from + to,
		"other protocol": "0001 86dd 0610 0001 020000000001" + strings.Repeat("01", 16) + "020000000002" + strings.Repeat("02", 16), "odd protocol": "0001 1234 0604 0001 " + from + to,
		"no hardware": "0001 0800 0004 0001 0a000001 0a000002", "short": "0001 0800", "lies": "0001 0800 ff04 0001 " + from + to, "wrong length": "0001 0800 0602 0001 020000000001 0a00 020000000002 0a00",
	} {
		f.add("arp "+name, ethernet(layers.EthernetTypeARP), gopacket.Payload(hexBytes(f.t, m)))
	}
	f.add("rarp", ethernet(0x8035), gopacket.Payload(hexBytes(f.t, "0001 0800 0604 0003 "+from+to)))
}

// tags are those of VLANs, one in another.
func (f *framesOf) tags() {
	udp := &layers.UDP{SrcPort: 5000, DstPort: 6000}
	for _, types := range [][]layers.EthernetType{{0x8100}, {0x88a8, 0x8100}, {0x8100, 0x8100}, {0x9100, 0x8100}, {0x9200}} {
		ls := []gopacket.SerializableLayer{ethernet(types[0])}
		for i := range types {
			next := append(types, layers.EthernetTypeIPv4)[i+1]
			ls = append(ls, &layers.Dot1Q{VLANIdentifier: uint16(100 + i), Priority: uint8(i), DropEligible: i > 0, Type: next})
		}
		f.add("vlan", append(ls, ip4(layers.IPProtocolUDP), udp, gopacket.Payload("hello"))...)
	}
	f.add("vlan of arp", ethernet(0x8100), &layers.Dot1Q{VLANIdentifier: 1, Type: layers.EthernetTypeARP}, gopacket.Payload(hexBytes(f.t, "0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002")))
}

// overlays are frames in datagrams.
func (f *framesOf) overlays() {
	inner := frame(f.t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 5000, DstPort: 6000}, gopacket.Payload("hello"))
	plain := frame(f.t, ip6(layers.IPProtocolUDP), &layers.UDP{SrcPort: 5000, DstPort: 6000}, gopacket.Payload("hello"))
	for _, x := range []struct {
		name  string
		port  layers.UDPPort
		head  string
		inner []byte
	}{
		{"vxlan", 4789, "08000000 00002a00", inner}, {"vxlan without a number", 4789, "00000000 00000000", inner}, {"short vxlan", 4789, "0800", nil},
		{"vxlan of flannel", 8472, "08000000 00000100", inner}, {"otv", 8472, "00000007 00000100", inner}, {"short otv", 8472, "0800", nil},
		{"geneve", 6081, "00006558 00002a00", inner}, {"geneve of ip", 6081, "008086dd 00002a07", plain}, {"geneve of something", 6081, "00401234 00002a00", plain},
		{"geneve with options", 6081, "05006558 00002a00 01018001 00010002 01030102 0102030405060708", inner}, {"geneve with a lie", 6081, "02006558 00002a00 0101801f 00010002", inner},
		{"later geneve", 6081, "40006558 00002a00", inner}, {"short geneve", 6081, "0000", nil}, {"geneve without room", 6081, "3f006558 00002a00", nil},
	} {
		f.add(x.name, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 40000, DstPort: x.port},
			gopacket.Payload(append(hexBytes(f.t, x.head), x.inner...)))
	}
}
