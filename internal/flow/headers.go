package flow

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
	ProtoSCTP   = 132
)

// Flags are the control bits of a TCP header, RFC 9293.
type Flags uint8

// TCP control bits.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Headers are the addresses of a packet, from its Ethernet frame. The reader
// fills one value again and again.
type Headers struct {
	// Src and Dst are valid if the packet is IP. The ports are 0 unless
	// Proto has ports and the packet is whole or a first fragment.
	Src, Dst netip.AddrPort
	// Proto is the IP protocol behind all IPv6 extension headers, 0 if the
	// packet is not IP or is cut before it.
	Proto uint8
	// Flags is valid iff Proto is ProtoTCP.
	Flags Flags
	// Network and Transport are where these headers start in the frame.
	// Transport is 0 for later fragments, and unless Proto has ports and they
	// were captured; of a TCP header, all that has no option was captured.
	Network, Transport int
	// Payload is where the bytes behind the TCP or UDP header start in the
	// frame, and PayloadLen how many the IP header says there are, 0 if not
	// known. Fewer may have been captured. Of ICMP it is where its header
	// starts.
	Payload, PayloadLen int
}

const (
	etherLen  = 14
	tagLen    = 4
	ipv4Len   = 20
	ipv6Len   = 40
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
)

// Decode reads an Ethernet frame, which may be cut anywhere. It reports
// whether there are IP addresses in it. It does not allocate.
func (h *Headers) Decode(frame []byte) bool {
	if len(frame) < etherLen {
		*h = Headers{}
		return false
	}
	return h.DecodeFrom(frame, etherLen, binary.BigEndian.Uint16(frame[etherLen-2:]))
}

// DecodeFrom does the same for a frame of another kind, whose header ends at
// an offset and names this ethertype.
func (h *Headers) DecodeFrom(frame []byte, at int, kind uint16) bool {
	*h = Headers{}
	for (kind == etherVLAN || kind == etherQinQ) && len(frame) >= at+tagLen {
		at += tagLen
		kind = binary.BigEndian.Uint16(frame[at-2:])
	}
	switch kind {
	case etherIPv4:
		return h.ipv4(frame, at)
	case etherIPv6:
		return h.ipv6(frame, at)
	}
	return false
}

func (h *Headers) ipv4(frame []byte, at int) bool {
	const fragmentOffset = 0x1fff
	if len(frame) < at+ipv4Len {
		return false
	}
	ip := frame[at:]
	headerLen := int(ip[0]&0xf) * 4
	if ip[0]>>4 != 4 || headerLen < ipv4Len {
		return false
	}
	h.Network = at
	h.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), 0)
	h.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), 0)
	h.Proto = ip[9]
	if binary.BigEndian.Uint16(ip[6:])&fragmentOffset == 0 {
		end := at + int(binary.BigEndian.Uint16(ip[2:]))
		h.transport(frame, at+headerLen, end)
	}
	return true
}

// IPv6 extension headers that may stand before the transport header, RFC 8200.
const (
	extHopByHop = 0
	extRouting  = 43
	extFragment = 44
	extAuth     = 51
	extDest     = 60
)

func (h *Headers) ipv6(frame []byte, at int) bool {
	if len(frame) < at+ipv6Len {
		return false
	}
	ip := frame[at:]
	if ip[0]>>4 != 6 {
		return false
	}
	h.Network = at
	h.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(ip[8:24])), 0)
	h.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(ip[24:40])), 0)
	next := ip[6]
	end := at + ipv6Len + int(binary.BigEndian.Uint16(ip[4:]))
	at += ipv6Len
	for {
		var size int
		switch next {
		case extHopByHop, extRouting, extDest:
			if len(frame) < at+2 {
				return true
			}
			size = 8 * (int(frame[at+1]) + 1)
		case extAuth:
			if len(frame) < at+2 {
				return true
			}
			size = 4 * (int(frame[at+1]) + 2)
		case extFragment:
			if len(frame) < at+8 {
				return true
			}
			size = 8
			if binary.BigEndian.Uint16(frame[at+2:])&^7 != 0 {
				h.Proto = frame[at]
				return true
			}
		default:
			h.Proto = next
			h.transport(frame, at, end)
			return true
		}
		next = frame[at]
		at += size
	}
}

func (h *Headers) transport(frame []byte, at, end int) {
	const tcpLen, udpLen, tcpFlags = 20, 8, 13
	switch h.Proto {
	case ProtoTCP, ProtoUDP, ProtoSCTP:
	case ProtoICMP, ProtoICMPv6:
		h.Payload, h.PayloadLen = at, max(end-at, 0)
		return
	default:
		return
	}
	if len(frame) < at+4 {
		return
	}
	h.Src = netip.AddrPortFrom(h.Src.Addr(), binary.BigEndian.Uint16(frame[at:]))
	h.Dst = netip.AddrPortFrom(h.Dst.Addr(), binary.BigEndian.Uint16(frame[at+2:]))
	size := udpLen
	if h.Proto == ProtoTCP {
		if len(frame) < at+tcpLen {
			return
		}
		h.Flags = Flags(frame[at+tcpFlags])
		size = int(frame[at+12]>>4) * 4
	}
	h.Transport = at
	if h.Payload = at + size; end > h.Payload {
		h.PayloadLen = end - h.Payload
	}
}
