package kernel

import (
	"bytes"
	"encoding/binary"
	"net"
)

// The extensions of iptables, as the kernel stores them: plain C structs in
// the byte order of the machine, without attributes. iptables-nft keeps them
// in nf_tables, iptables-legacy in a table of its own.

// anyPort is the upper end of a range that starts at 0 and matches all ports.
const anyPort = 0xffff

// addMatch adds what a match extension asks for. One that is unknown or has an
// unexpected form counts as something else besides.
func (c *cond) addMatch(name string, revision uint32, info []byte) {
	known := false
	switch name {
	case "comment":
		known = true
	case "tcp":
		known = c.addTCP(info)
	case "udp":
		known = c.addUDP(info)
	case "multiport":
		known = revision == 1 && c.addMultiport(info)
	case "owner":
		known = revision == 1 && c.addOwner(info)
	case "mark":
		known = revision == 1 && c.addMark(info)
	}
	if !known {
		c.other = true
	}
}

// addTCP reads struct xt_tcp of linux/netfilter/xt_tcpudp.h: spts[2], dpts[2],
// option, flg_mask, flg_cmp, invflags.
func (c *cond) addTCP(b []byte) bool {
	if len(b) < 12 || b[8] != 0 || b[9] != 0 {
		return false
	}
	return c.addPorts(b, b[11])
}

// addUDP reads struct xt_udp of the same header: spts[2], dpts[2], invflags.
func (c *cond) addUDP(b []byte) bool {
	return len(b) >= 9 && c.addPorts(b, b[8])
}

// addPorts reads the ranges of source and destination ports that begin a
// struct xt_tcp and a struct xt_udp.
func (c *cond) addPorts(b []byte, inverted uint8) bool {
	const invertedSource, invertedDest = 1, 2
	port := func(i int) uint16 { return binary.NativeEndian.Uint16(b[2*i:]) }
	if port(0) != 0 || port(1) != anyPort || inverted&^invertedDest != 0 {
		return false
	}
	first, last := port(2), port(3)
	switch {
	case first == 0 && last == anyPort && inverted == 0:
	case first != last:
		return false
	case inverted&invertedDest != 0:
		c.except = append(c.except, first)
	default:
		c.ports = append(c.ports, first)
	}
	return true
}

// addMultiport reads struct xt_multiport_v1 of linux/netfilter/xt_multiport.h:
// flags, count, ports[15], pflags[15] (set where a range begins), invert.
func (c *cond) addMultiport(b []byte) bool {
	const destination, maxPorts = 1, 15
	if len(b) < 48 || b[0] != destination || b[1] > maxPorts {
		return false
	}
	n := int(b[1])
	if bytes.ContainsFunc(b[32:32+n], func(r rune) bool { return r != 0 }) {
		return false
	}
	into := &c.ports
	if b[47] != 0 {
		into = &c.except
	}
	for i := range n {
		*into = append(*into, binary.NativeEndian.Uint16(b[2+2*i:]))
	}
	return true
}

// addOwner reads struct xt_owner_match_info of linux/netfilter/xt_owner.h:
// uid_min, uid_max, gid_min, gid_max, match, invert. A rule for everybody but
// an owner counts as something else besides.
func (c *cond) addOwner(b []byte) bool {
	const uid, gid = 1, 2
	if len(b) < 18 || b[16]&^(uid|gid) != 0 || b[17] != 0 {
		return false
	}
	id := func(i int) uint32 { return binary.NativeEndian.Uint32(b[4*i:]) }
	if b[16]&uid != 0 {
		if id(0) != id(1) {
			return false
		}
		c.uids = append(c.uids, id(0))
	}
	if b[16]&gid != 0 {
		if id(2) != id(3) {
			return false
		}
		c.gids = append(c.gids, id(2))
	}
	return true
}

// addMark reads struct xt_mark_mtinfo1 of linux/netfilter/xt_mark.h: mark,
// mask, invert.
func (c *cond) addMark(b []byte) bool {
	if len(b) < 9 {
		return false
	}
	c.mark(Mark{binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])}, b[8] != 0)
	return true
}

// setTarget sets the verdict from a target extension. Those that change a
// packet and go on with the next rule leave it as it is.
func (r *rule) setTarget(name string, revision uint32, ipv6 bool, info []byte) {
	switch name {
	case "REDIRECT":
		// IPv4 has struct nf_nat_ipv4_multi_range_compat: rangesize, flags,
		// min_ip, max_ip, min, max. IPv6 has struct nf_nat_range: flags,
		// min_addr, max_addr, min_proto, max_proto. Both are in
		// linux/netfilter/nf_nat.h.
		flags, port := 4, 16
		if ipv6 {
			flags, port = 0, 36
		}
		const protoSpecified = 2 // NF_NAT_RANGE_PROTO_SPECIFIED
		if len(info) < port+2 || binary.NativeEndian.Uint32(info[flags:])&protoSpecified == 0 {
			return
		}
		r.verdict, r.port = verdictRedirect, binary.BigEndian.Uint16(info[port:])
	case "TPROXY":
		// struct xt_tproxy_target_info of linux/netfilter/xt_TPROXY.h:
		// mark_mask, mark_value, laddr, lport. Revision 1 has room for an
		// IPv6 address.
		port := 12
		if revision == 1 {
			port = 24
		}
		if len(info) < port+2 {
			return
		}
		r.verdict, r.port = verdictTProxy, binary.BigEndian.Uint16(info[port:])
	}
}

// maskLen is the number of leading ones of a netmask. It is not ok if others
// follow.
func maskLen(mask []byte) (int, bool) {
	ones, size := net.IPMask(mask).Size()
	return ones, ones > 0 || size > 0 || len(bytes.Trim(mask, "\x00")) == 0
}
