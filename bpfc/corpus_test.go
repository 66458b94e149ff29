package bpfc

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A sentencer makes random expressions. Its words come from small pools, so
// that the same fields meet again within a sentence and that the packets of
// corpus often match.
type sentencer struct{ *rand.Rand }

func (s sentencer) pick(words ...string) string { return words[s.IntN(len(words))] }

// maybe returns word and a space every n times, and else nothing.
func (s sentencer) maybe(n int, words ...string) string {
	if s.IntN(n) > 0 {
		return ""
	}
	return s.pick(words...) + " "
}

func (s sentencer) dir() string {
	return s.maybe(2, "src", "dst", "src or dst", "src and dst", "dst or src", "dst and src")
}

func (s sentencer) host4() string {
	return s.pick("10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.7.9", "172.16.0.1", "0.0.0.0")
}

func (s sentencer) host6() string {
	return s.pick("fd00::1", "fd00::2", "2001:db8::3", "::1", "::")
}

func (s sentencer) net4() string {
	return s.pick("10", "10.0", "10.0.0", "10.0.0.1", "192.168", "172.16.0.0/12", "10.0.0.0/8",
		"10.0.0.0/24", "10.0.1.0/24", "192.168.7.8/31", "10.0.0.1/32", "10.0/16",
		"10.0.0.0 mask 255.255.255.0", "10.0.1.0 mask 255.0.255.0", "0.0/8", "256", "0")
}

func (s sentencer) net6() string {
	return s.pick("fd00::/8", "fd00::1", "2001:db8::/32", "fd00::/127", "::/0", "2000::/3", "fd00::/64", "::1/128")
}

func (s sentencer) port() string {
	return s.pick("80", "443", "53", "0x50", "5353", "8080", "0", "65535", "http", "domain", "ssh", "tftp")
}

func (s sentencer) number() string { return s.pick("80", "443", "53", "5353", "8080", "81", "82") }

func (s sentencer) ports() string {
	return s.pick("80-90", "90-80", "53-443", "443", "0-65535", "1-1023", "80-80", "8000-9000", "http-443")
}

func (s sentencer) proto() string {
	return s.pick("1", "6", "17", "58", "132", "44", "2", "0", `\tcp`, `\udp`, `\icmp`, "gre")
}

func (s sentencer) etherProto() string {
	return s.pick("0x800", "0x86dd", "0x806", "2048", `\ip`, `\arp`, `\ip6`, "0x42", "0xf0", "0x6", "1500", "1501")
}

// list joins operands with operators.
func (s sentencer) list(operand func() string) string {
	var b strings.Builder
	b.WriteString(operand())
	for s.IntN(3) == 0 {
		b.WriteString(s.pick(" or ", " or ", " and ", " or not ", " && ", " || "))
		if s.IntN(6) == 0 {
			b.WriteString("(" + operand() + " or " + operand() + ")")
		} else {
			b.WriteString(operand())
		}
	}
	if s.IntN(6) == 0 {
		return "(" + b.String() + ")"
	}
	return b.String()
}

func (s sentencer) primitive() string {
	switch s.IntN(14) {
	case 0, 1, 2:
		return s.pick("ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "ah", "esp", "pim")
	case 3, 4:
		return s.maybe(3, "ip", "arp", "rarp") + s.dir() + "host " + s.list(s.host4)
	case 5:
		return s.maybe(3, "ip6") + s.dir() + "host " + s.list(s.host6)
	case 6:
		return s.maybe(3, "ip", "arp", "rarp") + s.dir() + "net " + s.list(s.net4)
	case 7:
		return s.maybe(3, "ip6") + s.dir() + "net " + s.list(s.net6)
	case 8, 9:
		return s.dir() + "port " + s.list(s.port)
	case 10:
		return s.pick("tcp ", "udp ", "sctp ") + s.dir() + "port " + s.list(s.number)
	case 11:
		return s.maybe(2, "tcp", "udp", "sctp") + s.dir() + "portrange " + s.list(s.ports)
	case 12:
		if s.IntN(3) == 0 {
			return "ether proto " + s.list(s.etherProto)
		}
		return s.maybe(2, "ip", "ip6") + "proto " + s.list(s.proto)
	}
	if s.IntN(2) == 0 {
		return fmt.Sprintf("%s %d", s.pick("less", "greater"), s.IntN(120))
	}
	return "ether " + s.pick("src ", "dst ", "host ", "src or dst ") + s.pick("02:00:00:00:00:0a", "2:0:0:0:0:b", "ff:ff:ff:ff:ff:ff", "0200.0000.000a")
}

// sentence returns an expression of a few primitives.
func (s sentencer) sentence(depth int) string {
	var b strings.Builder
	for {
		b.WriteString(s.maybe(5, "not", "!", "not not"))
		if depth > 0 && s.IntN(4) == 0 {
			b.WriteString("(" + s.sentence(depth-1) + ")")
		} else {
			b.WriteString(s.primitive())
		}
		if s.IntN(5) < 2 {
			return b.String()
		}
		b.WriteString(s.pick(" and ", " or ", " and ", " or ", " && ", " || "))
	}
}

// corpus returns whole packets: those made by hand, and random ones whose
// fields come from the pools of a sentencer. It also returns noise, in which
// headers can end early.
func corpus(r *rand.Rand) (all, noise [][]byte) {
	s := sentencer{r}
	for _, name := range slices.Sorted(maps.Keys(packets)) {
		p := packets[name]
		if len(p) < 14 {
			noise = append(noise, p)
		} else {
			all = append(all, append(p, make([]byte, 60)...))
		}
	}
	numbers := []uint16{80, 443, 53, 5353, 8080, 0, 65535, 85, 22, 69, 40000}
	port := func() uint16 { return numbers[r.IntN(len(numbers))] }
	protos := []byte{1, 2, 6, 6, 6, 17, 17, 58, 132, 44, 50, 51, 103, 47}
	payload := func() []byte { return append(ports(port(), port()), make([]byte, 60+r.IntN(60))...) }
	for range 120 {
		fragment := []uint16{0, 0, 0, 0x4000, 0x2000, 0x2010, 0x0003}[r.IntN(7)]
		all = append(all, ip4{
			proto: protos[r.IntN(len(protos))], src: s.host4(), dst: s.host4(),
			options: 4 * r.IntN(3), fragment: fragment,
		}.packet(payload()))
		all = append(all, ip6{
			next: protos[r.IntN(len(protos))], src: s.host6(), dst: s.host6(),
		}.packet(payload()))
	}
	for range 20 {
		all = append(all, fragment6(protos[r.IntN(len(protos))], s.host6(), s.host6()))
		all = append(all, arp([]uint16{etherARP, etherRARP}[r.IntN(2)], s.host4(), s.host4()))
		all = append(all, ethernet(uint16(r.IntN(1600)), append([]byte{[]byte{0x42, 0xf0, 6}[r.IntN(3)], 6}, payload()...)))
		n := make([]byte, r.IntN(100))
		for i := range n {
			n[i] = byte(r.IntN(256))
		}
		if len(n) > 14 {
			copy(n[12:], [][]byte{{8, 0}, {8, 6}, {0x86, 0xdd}}[r.IntN(3)])
		}
		noise = append(noise, n)
	}
	// The least header length that a packet can claim, and the greatest.
	short := ip4{proto: protoTCP, src: "10.0.0.1", dst: "10.0.0.2"}.packet(payload())
	short[14] = 0x40
	long := append([]byte{}, short...)
	long[14] = 0x4f
	all = append(all, short, long)
	return all, noise
}

// truncated returns pkt cut to lengths at which its fields begin and end.
func truncated(r *rand.Rand, pkt []byte) [][]byte {
	var cuts [][]byte
	for _, n := range []int{0, 6, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 26, 29, 30, 32, 34, 35, 36, 37, 38, 39, 41, 42, 46, 50, 53, 54, 55, 56, 57, 58} {
		if n < len(pkt) {
			cuts = append(cuts, pkt[:n])
		}
	}
	if len(pkt) > 0 {
		cuts = append(cuts, pkt[:r.IntN(len(pkt))])
	}
	return cuts
}
