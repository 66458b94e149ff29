package bpfc

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A realist makes filters as people and programs write them: primitives and
// lists of up to 50 operands, joined up to a depth, and headers around them.
type realist struct{ sentencer }

// sentence returns a filter for Ethernet.
func (s realist) sentence() string {
	x := s.expression(2)
	switch s.IntN(16) {
	case 0, 1:
		return s.pick("vlan", "vlan 5", "vlan and vlan", "mpls", "mpls 16", "pppoes 7", "vlan and pppoes") + " and (" + x + ")"
	case 2:
		return s.primitive() + " or (vlan and " + s.primitive() + ")"
	case 3:
		return s.pick("geneve", "geneve 5") + " and (" + s.primitive() + ")"
	case 4:
		return s.pick("ip protochain 6", "ip6 protochain 58", `ip6 protochain \udp`, "protochain 17", "ip6 protochain 0")
	}
	return x
}

// expression returns up to four terms with operators between them.
func (s realist) expression(depth int) string {
	var b strings.Builder
	op := s.pick(" and ", " or ")
	for i := range 1 + s.IntN(4) {
		if i > 0 {
			b.WriteString(op)
		}
		if s.IntN(4) == 0 {
			op = s.pick(" and ", " or ")
		}
		b.WriteString(s.maybe(7, "not"))
		if depth > 0 && s.IntN(4) == 0 {
			b.WriteString("(" + s.expression(depth-1) + ")")
		} else {
			b.WriteString(s.primitive())
		}
	}
	return b.String()
}

func (s realist) primitive() string {
	switch s.IntN(16) {
	case 0, 1:
		return s.pick("tcp", "udp", "icmp", "ip", "ip6", "arp", "icmp6", "sctp", "esp")
	case 2, 3:
		return s.direction() + "host " + s.host()
	case 4:
		return s.direction() + "net " + s.net()
	case 5, 6:
		return s.maybe(2, "tcp", "udp") + s.direction() + "port " + s.number()
	case 7:
		return s.maybe(2, "tcp", "udp") + s.direction() + "portrange " + s.span()
	case 8, 9, 10:
		return "(" + s.list() + ")"
	case 11:
		return s.pick("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] = 18", "tcp[tcpflags] & tcp-rst != 0",
			"icmp[icmptype] = icmp-echo", "icmp6[0] = 135", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn")
	case 12:
		return s.pick("ip[8] < 5", "ip[6:2] & 0x3fff != 0", "ip[2:2] > 576", "ip[1] & 0xfc = 0xb8", "udp[4:2] > 100",
			"ether[0] & 1 != 0", "len > 1500", "(ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2) != 0",
			"tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "len - ip[2:2] > 14", "ip[12:4] = ip[16:4]")
	case 13:
		return s.pick("broadcast", "multicast", "ip multicast", "ip6 multicast", "ip broadcast", "less 100", "greater 500")
	case 14:
		return "ether " + s.pick("src ", "dst ", "host ") + s.mac()
	}
	return s.pick("ip proto 47", "ip6 proto 6", "proto 17", "ether proto 0x88cc", `ether proto \ip`, "stp", "llc")
}

// list returns a list of operands.
func (s realist) list() string {
	kinds := []struct {
		word    string
		operand func() string
	}{
		{"port", s.number}, {"port", s.number}, {"host", s.host}, {"net", s.net}, {"portrange", s.span},
	}
	k := kinds[s.IntN(len(kinds))]
	n := 2 + s.IntN([]int{4, 10, 49}[s.IntN(3)])
	words := make([]string, n)
	for i := range words {
		words[i] = k.operand()
	}
	return s.direction() + k.word + " " + strings.Join(words, " or ")
}

func (s realist) direction() string { return s.maybe(2, "src", "dst", "src and dst") }

func (s realist) number() string {
	if s.IntN(2) == 0 {
		return s.sentencer.number()
	}
	return fmt.Sprint(s.IntN(1 << 16))
}

func (s realist) span() string {
	low := s.IntN(60000)
	return fmt.Sprintf("%d-%d", low, low+s.IntN(2000))
}

func (s realist) host() string {
	switch s.IntN(5) {
	case 0:
		return s.host6()
	case 1:
		return s.host4()
	}
	return fmt.Sprintf("10.%d.%d.%d", s.IntN(4), s.IntN(256), s.IntN(256))
}

func (s realist) net() string {
	switch s.IntN(4) {
	case 0:
		return s.pick("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8", "2001:db8::/32", "fe80::/10")
	case 1:
		return fmt.Sprintf("10.%d.0.0/16", s.IntN(256))
	}
	return fmt.Sprintf("%d.%d.%d.0/24", 1+s.IntN(223), s.IntN(256), s.IntN(256))
}

func (s realist) mac() string { return fmt.Sprintf("02:00:00:00:00:%02x", s.IntN(16)) }

// traffic returns frames as networks have them: mostly TCP and UDP over IPv4.
func (s realist) traffic(n int) (frames [][]byte) {
	for range n {
		body := append(ports(s.port16(), s.port16()), make([]byte, 20+s.IntN(400))...)
		body[12], body[13] = 0x50, byte(s.IntN(32))
		v4 := ip4{proto: protoTCP, src: s.host4(), dst: s.host4()}
		v6 := ip6{next: []byte{protoTCP, protoUDP, protoICMP6, protoFragment}[s.IntN(4)], src: s.host6(), dst: s.host6()}
		var frame []byte
		switch kind := s.IntN(100); {
		case kind < 40:
			frame = v4.packet(body)
		case kind < 62:
			v4.proto = protoUDP
			frame = v4.packet(body)
		case kind < 70:
			v4.proto = []byte{protoICMP, protoAH, 50, 47, 132}[s.IntN(5)]
			v4.fragment, v4.options = []uint16{0, 0x2000, 0x10}[s.IntN(3)], 4*s.IntN(2)
			frame = v4.packet(body)
		case kind < 86:
			frame = v6.packet(body)
		case kind < 92:
			frame = arp(etherARP, s.host4(), s.host4())
		case kind < 97:
			frame = tagged(v4.packet(body), etherVLAN, 5)
		default:
			frame = ethernet([]uint16{0x88cc, etherPPPoES, etherMPLS, 38}[s.IntN(4)], body)
		}
		if s.IntN(20) == 0 {
			frame = frame[:s.IntN(60)]
		}
		frames = append(frames, frame)
	}
	return frames
}

func (s realist) port16() uint16 {
	if s.IntN(3) == 0 {
		return uint16(s.IntN(1 << 16))
	}
	return []uint16{22, 53, 80, 443, 8080, 123}[s.IntN(6)]
}

// newRealist returns one with a seed.
func newRealist(seed uint64) realist {
	return realist{sentencer{rand.New(rand.NewPCG(seed, seed))}}
}
