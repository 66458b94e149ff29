package flow

import "encoding/binary"

// A Packet is a frame with its headers.
type Packet struct {
	Data []byte
	Headers
}

// The methods below are for TCP segments: those with a Transport.

// Seq is the sequence number, and Ack the acknowledged one.
func (p *Packet) Seq() uint32 { return binary.BigEndian.Uint32(p.Data[p.Transport+4:]) }
func (p *Packet) Ack() uint32 { return binary.BigEndian.Uint32(p.Data[p.Transport+8:]) }

// Window is what the header says, without the scale of the connection.
func (p *Packet) Window() uint16 { return binary.BigEndian.Uint16(p.Data[p.Transport+14:]) }

// End is the sequence number behind the segment: SYN and FIN take one each.
func (p *Packet) End() uint32 {
	end := p.Seq() + uint32(p.PayloadLen)
	if p.Flags&SYN != 0 {
		end++
	}
	if p.Flags&FIN != 0 {
		end++
	}
	return end
}

// TTL is how many more hops the packet may go.
func (p *Packet) TTL() uint8 {
	const ipv4TTL, ipv6HopLimit = 8, 7
	ip := p.Data[p.Network:]
	if ip[0]>>4 == 4 {
		return ip[ipv4TTL]
	}
	return ip[ipv6HopLimit]
}

// Has reports whether all these flags are set.
func (p *Packet) Has(flags Flags) bool { return p.Flags&flags == flags }

// captured is what was captured of the payload.
func (p *Packet) captured() []byte {
	if p.Payload == 0 || p.Payload >= len(p.Data) {
		return nil
	}
	return p.Data[p.Payload:min(p.Payload+p.PayloadLen, len(p.Data))]
}

// bare reports whether a segment looks like one that a kernel sends by itself,
// without a socket: no options, no window, and for IPv4 no identification.
func (p *Packet) bare() bool {
	if !p.terse() {
		return false
	}
	ip := p.Data[p.Network:]
	return ip[0]>>4 != 4 || binary.BigEndian.Uint16(ip[4:]) == 0
}

// terse reports whether a segment has no options and no window.
func (p *Packet) terse() bool {
	const tcpHeader = 20
	return p.Payload-p.Transport == tcpHeader && p.Window() == 0
}
