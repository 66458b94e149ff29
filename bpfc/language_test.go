package bpfc

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A linguist makes random expressions of the whole language for a link type.
type linguist struct {
	sentencer
	lt LinkType
}

// sentence returns an expression of a few primitives.
func (s linguist) sentence(depth int) string {
	var b strings.Builder
	for {
		b.WriteString(s.maybe(5, "not", "!", "not not"))
		switch {
		case depth > 0 && s.IntN(4) == 0:
			b.WriteString("(" + s.sentence(depth-1) + ")")
		case s.IntN(3) == 0:
			b.WriteString(s.sentencer.primitive())
		default:
			b.WriteString(s.primitive())
		}
		if s.IntN(5) < 2 {
			return b.String()
		}
		b.WriteString(s.pick(" and ", " or ", " and ", " or ", " && ", " || "))
	}
}

func (s linguist) primitive() string {
	switch s.IntN(12) {
	case 0, 1, 2, 3:
		return s.relation()
	case 4:
		return s.pick("aarp", "atalk", "decnet", "lat", "moprc", "mopdl", "sca", "stp", "ipx", "netbeui",
			"iso", "clnp", "esis", "es-is", "isis", "is-is", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp")
	case 5:
		return s.pick("ip multicast", "ip6 multicast", "ip broadcast", "broadcast", "multicast",
			"ether broadcast", "link multicast")
	case 6, 7:
		return s.wrapped()
	case 8:
		return "llc" + s.pick("", " i", " s", " u", " rr", " rnr", " rej", " ui", " ua", " disc", " dm", " sabme", " test", " xid", " frmr")
	case 9:
		return s.pick("decnet src ", "decnet dst ", "decnet host ", "decnet net ") + s.pick("1.2", "10.23", "5")
	case 10:
		return s.pick(`iso proto \clnp`, "iso proto 0x82", "isis proto 24", `ether proto \stp`, `ether proto \iso or \lat`,
			"ether proto 0x8137", "ether proto 0xe0", "ip protochain 6", "ip6 protochain 6", "protochain 17", `ip6 protochain \tcp`)
	}
	if s.lt == LinuxSLL2 {
		return s.pick("inbound", "outbound", "ifindex 2", "ifindex 3")
	}
	if s.lt == LinuxSLL {
		return s.pick("inbound", "outbound")
	}
	return fmt.Sprintf("byte %d %s %d", s.IntN(20), s.pick("=", "<", ">"), s.IntN(16))
}

// tunnelled returns a sentence about what Geneve carries. Nothing else may lead
// to it, as libpcap's programs would then read what they have not written.
func (s linguist) tunnelled() string {
	return s.pick("geneve", "geneve 5", "geneve 6", "ip and geneve", "not arp and geneve") + " and (" + s.sentence(1) + ")"
}

// wrapped returns a primitive that moves the headers.
func (s linguist) wrapped() string {
	switch s.IntN(4) {
	case 0:
		return "pppoed"
	case 1:
		return s.pick("vlan", "vlan 5", "vlan 100", "vlan (5)")
	case 2:
		return s.pick("mpls", "mpls 16", "mpls 1000")
	}
	return s.pick("pppoes", "pppoes 7")
}

func (s linguist) relation() string {
	a, b := s.arith(2), s.arith(1)
	if s.IntN(3) > 0 {
		b = s.small()
	}
	return a + s.pick(" = ", " == ", "!=", " > ", " >= ", "<", " <= ") + b
}

func (s linguist) small() string {
	return s.pick("0", "1", "2", "0x10", "017", "64", "4", "80", "443", "0xff", "0x0a000001", "5", "6", "17", "tcp-syn", "icmp-echo", "20", "100")
}

func (s linguist) header() string {
	return s.pick("ip", "ip", "ip", "tcp", "tcp", "udp", "ether", "ether", "ip6", "icmp", "icmp6", "arp", "rarp", "sctp",
		"igmp", "pim", "vrrp", "carp", "igrp", "link", "atalk", "decnet", "lat")
}

func (s linguist) data(depth int) string {
	at := fmt.Sprint(s.IntN(24))
	switch {
	case depth > 0 && s.IntN(5) == 0:
		at = s.pick("ip[0]&0xf", "(ip[0] & 0xf) << 2", "ip[0] & 7", "tcp[12] >> 2", "(tcp[12]&0xf0)>>2", "ip[8] & 0x1f",
			"len & 15", "ip[9] + 2", "ip[9] - 1", "1 + ip[6:2] % 13", "ether[0]*2 + ip[1]")
	case s.IntN(8) == 0:
		at = s.pick("tcpflags", "icmptype", "icmpcode", "2 * 3", "ip[1] * 4")
	}
	return s.header() + "[" + at + s.pick("", "", ":1", ":2", ":4", " : 2") + "]"
}

func (s linguist) arith(depth int) string {
	if depth == 0 || s.IntN(3) == 0 {
		switch s.IntN(8) {
		case 0:
			return "len"
		case 1:
			return s.small()
		}
		return s.data(depth)
	}
	a, b := s.arith(depth-1), s.arith(depth-1)
	switch s.IntN(10) {
	case 0:
		return "-" + a
	case 1, 2:
		return "(" + s.arith(depth-1) + ")"
	case 3, 4:
		return a + " & " + s.small()
	}
	return a + s.pick(" + ", " - ", " * ", " & ", " | ", " ^ ", " % ", " / ", " << ", " >> ") + b
}

// The functions below wrap frames, and make those of rarer protocols.

// tagged returns a frame with a VLAN tag.
func tagged(frame []byte, tpid, id uint16) []byte {
	b := append([]byte{}, frame[:12]...)
	b = binary.BigEndian.AppendUint16(b, tpid)
	b = binary.BigEndian.AppendUint16(b, id)
	return append(b, frame[12:]...)
}

// labelled returns a frame with MPLS labels before its packet.
func labelled(frame []byte, labels ...uint32) []byte {
	b := append([]byte{}, frame[:12]...)
	b = binary.BigEndian.AppendUint16(b, etherMPLS)
	for i, l := range labels {
		bottom := uint32(0)
		if i == len(labels)-1 {
			bottom = 1 << 8
		}
		b = binary.BigEndian.AppendUint32(b, l<<12|bottom|64)
	}
	return append(b, frame[14:]...)
}

// session returns a frame with the packet in PPPoE.
func session(frame []byte, id uint16) []byte {
	b := append([]byte{}, frame[:12]...)
	b = binary.BigEndian.AppendUint16(b, etherPPPoES)
	b = append(b, 0x11, 0)
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0, 0)
	proto := pppType(uint32(binary.BigEndian.Uint16(frame[12:])))
	b = binary.BigEndian.AppendUint16(b, uint16(proto))
	return append(b, frame[14:]...)
}

// geneveIn returns the payload of a UDP packet that carries b.
func geneveIn(vni uint32, options int, typ uint16, b []byte) []byte {
	udp := append(binary.BigEndian.AppendUint16([]byte{0x12, 0x34}, 6081), 0, 0, 0, 0)
	h := []byte{byte(options), 0}
	h = binary.BigEndian.AppendUint16(h, typ)
	h = binary.BigEndian.AppendUint32(h, vni<<8)
	h = append(h, make([]byte, 4*options)...)
	return append(append(udp, h...), b...)
}

// llcFrame returns an 802.3 frame.
func llcFrame(b ...byte) []byte {
	return ethernet(uint16(len(b)), append(b, make([]byte, 60)...))
}

// rareFrames returns whole frames of what corpus has not.
func rareFrames(r *rand.Rand) (frames [][]byte) {
	tail := make([]byte, 64)
	base, _ := corpus(r)
	pick := func() []byte { return base[r.IntN(len(base))] }
	for range 25 {
		frames = append(frames,
			tagged(pick(), []uint16{etherVLAN, etherQinQ, etherOldQinQ}[r.IntN(3)], uint16([]int{5, 0x2005, 100}[r.IntN(3)])),
			tagged(tagged(pick(), etherVLAN, 5), etherQinQ, 100),
			labelled(pick(), 16), labelled(pick(), 16, 1000), labelled(tagged(pick(), etherVLAN, 5), 1000),
			session(pick(), 7), session(pick(), 8), tagged(session(pick(), 7), etherVLAN, 5))
		inner := pick()
		typ := max(binary.BigEndian.Uint16(inner[12:]), maxLength+1) // Geneve has no lengths
		for _, options := range []int{0, 2} {
			frames = append(frames,
				ip4{proto: protoUDP, src: a4, dst: b4, options: 4 * r.IntN(3)}.packet(geneveIn(5, options, etherBridge, inner)),
				ip4{proto: protoUDP, src: a4, dst: b4}.packet(geneveIn(6, options, typ, inner[14:])),
				ip6{next: protoUDP, src: a6, dst: b6}.packet(geneveIn(5, options, etherBridge, tagged(inner, etherVLAN, 5))),
				ip6{next: protoUDP, src: a6, dst: b6}.packet(geneveIn(5, options, typ, inner[14:])))
		}
	}
	// Control fields, and OSI's protocols with the types of IS-IS.
	for _, c := range []byte{0x00, 0x01, 0x03, 0x05, 0x09, 0x0f, 0x43, 0x63, 0x6f, 0xe3, 0xaf, 0x87, 0x13} {
		frames = append(frames, llcFrame(0x42, 0x42, c), llcFrame(0xfe, 0xfe, c, 0x82), llcFrame(0xe0, 0xe0, c))
	}
	for typ := byte(14); typ < 28; typ++ {
		frames = append(frames, llcFrame(0xfe, 0xfe, 3, 0x83, 1, 2, 3, typ))
	}
	frames = append(frames, llcFrame(0xfe, 0xfe, 3, 0x81), llcFrame(0xff, 0xff, 3), llcFrame(0xf0, 0xf0, 3),
		llcFrame(0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b), llcFrame(0xaa, 0xaa, 3, 0, 0, 0, 0x80, 0xf3),
		llcFrame(0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0x37))
	for _, typ := range []uint16{etherMOPDL, etherMOPRC, etherLAT, etherSCA, etherAppleTalk, etherAARP,
		etherIPX, etherPPPoED, etherMPLS, 0x86dd, 1, 4, 0x42, 0xfe, 0xe0} {
		frames = append(frames, ethernet(typ, tail))
	}
	for _, form := range []struct{ flags, pad, at int }{{2, 0, 3}, {2, 1, 3}, {6, 0, 15}, {6, 1, 15}, {2, 0, 1}, {6, 1, 7}, {2, 1, 1}, {6, 0, 7}} {
		for _, addr := range []uint16{1<<10 | 2, 10<<10 | 23, 5} {
			b := make([]byte, 60)
			if form.pad == 1 {
				b[2] = 0x81
			}
			b[2+form.pad] = byte(form.flags)
			binary.LittleEndian.PutUint16(b[2+form.pad+form.at:], addr)
			frames = append(frames, ethernet(etherDECnet, b))
		}
	}
	// Multicast and broadcast.
	for _, dst := range []string{"224.0.0.1", "255.255.255.255", "0.0.0.0", "239.1.2.3", "223.255.255.255"} {
		frames = append(frames, append(udp4(a4, dst, 1, 2), tail...))
	}
	group := append(ip6{next: protoUDP, src: a6, dst: "ff02::1"}.packet(ports(5, 6)), tail...)
	copy(group, []byte{0x33, 0x33, 0, 0, 0, 1})
	all := append(udp4(a4, b4, 67, 68), tail...)
	copy(all, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	frames = append(frames, group, all)
	// Chains of headers.
	for _, chain := range [][]byte{{0, 6}, {60, 6}, {43, 0, 6}, {44, 6}, {51, 6}, {0, 51, 17}, {0, 60, 43, 44, 6}, {59, 6}, {51, 17}} {
		b := []byte{}
		for _, next := range chain[1:] {
			b = append(b, append([]byte{next, 1}, make([]byte, 14)...)...)
		}
		b = append(append(b, ports(80, 443)...), tail...)
		frames = append(frames, ip6{next: chain[0], src: a6, dst: b6}.packet(b),
			ip4{proto: chain[0], src: a4, dst: b4}.packet(b))
	}
	for range 30 {
		flags := append(ports(80, 443), make([]byte, 60)...)
		flags[12], flags[13] = byte(r.IntN(16)<<4), byte(r.IntN(256))
		h := ip4{proto: []byte{6, 6, 1, 17, 103, 112}[r.IntN(6)], src: a4, dst: b4, options: 4 * r.IntN(2)}
		frames = append(frames, h.packet(flags))
	}
	return frames
}

// frameAs returns an Ethernet frame as a packet of another link type.
func frameAs(lt LinkType, r *rand.Rand, frame []byte) []byte {
	if len(frame) < 14 {
		return frame
	}
	var b []byte
	typ := frame[12:14]
	if n := binary.BigEndian.Uint16(typ); n <= maxLength && r.IntN(4) > 0 {
		typ = []byte{0, []byte{cooked8022, cooked8022, cooked8023}[r.IntN(3)]}
	}
	kind := []byte{0, 1, 2, 3, outgoing}[r.IntN(5)]
	switch lt {
	case Ethernet:
		return frame
	case LinuxSLL:
		b = append(b, 0, kind, 0, 1, 0, 6)
		b = append(b, frame[6:12]...)
		b = append(append(b, 0, 0), typ...)
	case LinuxSLL2:
		b = append(append(b, typ...), 0, 0, 0, 0, 0, byte(2+r.IntN(2)), 0, 1, kind, 6)
		b = append(b, frame[6:12]...)
		b = append(b, 0, 0)
	}
	return append(b, frame[14:]...)
}

// packetsOf returns whole packets of a link type, and noise.
func packetsOf(lt LinkType, r *rand.Rand) (whole, noise [][]byte) {
	frames, noise := corpus(r)
	for _, f := range append(frames, rareFrames(r)...) {
		// Long enough that what relations look at is there.
		whole = append(whole, frameAs(lt, r, append(f[:len(f):len(f)], make([]byte, 300)...)))
	}
	return whole, noise
}
