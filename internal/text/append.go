package text

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// appendInt appends any whole number in decimal.
func appendInt[T int | int64 | uint8 | uint16 | uint32](b []byte, n T) []byte {
	return strconv.AppendInt(b, int64(n), 10)
}

const hexDigits = "0123456789abcdef"

// appendHex appends "0x" and n as 2*bytes digits.
func appendHex(b []byte, n uint32, bytes int) []byte {
	b = append(b, "0x"...)
	for shift := 8*bytes - 4; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[n>>shift&0xf])
	}
	return b
}

// appendShortHex appends "0x" and n without leading zeros.
func appendShortHex(b []byte, n uint32) []byte {
	return appendBareHex(append(b, "0x"...), n)
}

// appendBareHex appends n in hexadecimal without leading zeros.
func appendBareHex(b []byte, n uint32) []byte { return strconv.AppendUint(b, uint64(n), 16) }

// appendMAC appends a hardware address of 6 bytes.
func appendMAC(b, mac []byte) []byte { return appendHardwareAddr(b, mac[:6]) }

// appendAddr appends an IPv4 or IPv6 address of 4 or 16 bytes.
func appendAddr(b, addr []byte) []byte {
	a, _ := netip.AddrFromSlice(addr)
	return a.AppendTo(b)
}

// appendSafe appends text that others chose. Everything but printable ASCII is
// written as \x and two digits: no control character reaches the terminal, no
// line is broken, and no right-to-left mark changes the order of what is read.
func appendSafe[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b = append(b, `\\`...)
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&0xf])
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendPort appends a port, by its name where that is known and wanted.
func (p *Printer) appendPort(b []byte, port uint16) []byte {
	if !p.o.Numeric {
		if name := portName(port); name != "" {
			return append(b, name...)
		}
	}
	return appendInt(b, port)
}

// portName is the name of a port as services(5) has it, or empty. These are
// the ports below 1024 that a cluster uses.
func portName(port uint16) string {
	switch port {
	case 22:
		return "ssh"
	case 53:
		return "domain"
	case 67:
		return "bootps"
	case 68:
		return "bootpc"
	case 80:
		return "http"
	case 123:
		return "ntp"
	case 179:
		return "bgp"
	case 443:
		return "https"
	case 853:
		return "domain-s"
	}
	return ""
}

// be16 and be32 read a number as it stands on the wire.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
