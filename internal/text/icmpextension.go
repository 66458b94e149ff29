package text

// appendICMPExtension appends the objects that an error can have behind what it
// quotes, as routers put the labels of MPLS there: RFC 4884, for senders that do
// not say where they begin. They begin behind 128 bytes.
func appendICMPExtension(b, m []byte, length int) []byte {
	const (
		at        = 8 + 128
		headerLen = 4
		version2  = 2
		cut       = " [|icmp]"
		shown     = 16
	)
	if length <= at {
		return b
	}
	if len(m) < at+headerLen+1 {
		return append(b, cut...)
	}
	x, whole := m[at:], len(m) >= length
	sum := fold(add(0, x[:min(len(x), length-at)]))
	if m[5] == 0 && whole && sum != 0xffff {
		return b // it is only more of the packet
	}
	version := x[0] >> 4
	b = appendInt(append(b, "\n\tICMP Multi-Part extension v"...), version)
	if version != version2 {
		return append(b, " packet not supported"...)
	}
	if whole {
		b = appendHex(append(b, ", checksum "...), uint32(be16(x[2:])), 2)
		verdict := " (correct), length "
		if sum != 0xffff {
			verdict = " (incorrect), length "
		}
		b = appendInt(append(b, verdict...), length-at)
	}
	left := length - at - headerLen
	x = x[headerLen:]
	for n := 0; left > headerLen && n < shown; n++ {
		if len(x) < headerLen {
			return append(b, cut...)
		}
		size, class, typ := int(be16(x)), x[2], x[3]
		b = appendICMPObject(b, size, class, typ)
		x, left = x[headerLen:], left-headerLen
		if class == 0 || size < headerLen {
			return b
		}
		if size -= headerLen; class == mplsClass && typ == 1 {
			if len(x) < 4 {
				return append(b, cut...)
			}
			b = appendLabelEntry(append(b, "\n\t    "...), be32(x))
		} else {
			b = appendUnknown(b, "\n\t    ", x[:min(size, len(x))], false)
		}
		if left < size {
			return b
		}
		x, left = x[min(size, len(x)):], left-size
	}
	return b
}

// mplsClass are objects with a stack of labels: RFC 4950.
const mplsClass = 1

func appendICMPObject(b []byte, size int, class, typ uint8) []byte {
	const interfaceClass = 2 // RFC 5837
	name := "unknown"
	switch class {
	case mplsClass:
		name = "MPLS Stack Entry"
	case interfaceClass:
		name = "Interface Identification"
	}
	b = append(append(b, "\n\t  "...), name...)
	b = appendInt(append(b, " Object ("...), class)
	b = appendInt(append(b, "), Class-Type: "...), typ)
	return appendInt(append(b, ", length "...), size)
}

// appendLabelEntry appends an entry of a label stack: RFC 3032, 2.1.
func appendLabelEntry(b []byte, entry uint32) []byte {
	const bottom = 0x100
	b = appendInt(append(b, "label "...), entry>>12)
	b = appendInt(append(b, ", tc "...), entry>>9&7)
	if entry&bottom != 0 {
		b = append(b, ", [S]"...)
	}
	return appendInt(append(b, ", ttl "...), entry&0xff)
}
