package text

// A Dump is how the bytes of a packet are shown below its line.
type Dump uint8

// The dumps, with tcpdump's flag for each.
const (
	NoDump   Dump = iota
	HexDump       // -x
	TextDump      // -A
	BothDump      // -X
)

// dumpWidth is how many bytes stand on a line of hexadecimal digits.
const dumpWidth = 16

// AppendDump appends the bytes of a packet as lines below its own: those
// behind the link layer, or all of them.
func (p *Printer) AppendDump(b []byte, linkType uint16, frame []byte) []byte {
	if !p.o.DumpLink {
		frame = frame[linkLen(linkType, frame):]
	}
	switch p.o.Dump {
	case HexDump, BothDump:
		return appendHexDump(b, "\n\t", frame, p.o.Dump == BothDump)
	case TextDump:
		return appendTextDump(b, frame)
	}
	return b
}

// appendHexDump appends lines such as "0x0000:  4500 003c" behind an indent, with
// the bytes once more as text if so wished.
func appendHexDump(b []byte, indent string, data []byte, both bool) []byte {
	for at := 0; at < len(data); at += dumpWidth {
		line := data[at:min(at+dumpWidth, len(data))]
		b = append(append(b, indent...), "0x"...)
		for shift := 12; shift >= 0; shift -= 4 {
			b = append(b, hexDigits[at>>shift&0xf])
		}
		b = append(b, ": "...)
		for i, c := range line {
			if i%2 == 0 {
				b = append(b, ' ')
			}
			b = append(b, hexDigits[c>>4], hexDigits[c&0xf])
		}
		if !both {
			continue
		}
		const digits = dumpWidth/2*5 + 2
		for n := (len(line)+1)/2 + 2*len(line); n < digits; n++ {
			b = append(b, ' ')
		}
		for _, c := range line {
			b = append(b, graphic(c))
		}
	}
	return b
}

// appendUnknown appends data that has no words, as far as it is worth it.
func appendUnknown(b []byte, indent string, data []byte, both bool) []byte {
	const most = 2048
	return appendHexDump(b, indent, data[:min(len(data), most)], both)
}

// graphic is c, or a dot where c is not visible.
func graphic(c byte) byte {
	if c <= ' ' || c > '~' {
		return '.'
	}
	return c
}

// appendTextDump appends the bytes as text, with their line ends.
func appendTextDump(b, data []byte) []byte {
	b = append(b, '\n')
	for i, c := range data {
		switch {
		case c == '\r' && (i+2 >= len(data) || data[i+1] == '\n'): // tcpdump leaves these out
		case c == '\t', c == ' ', c == '\n':
			b = append(b, c)
		default:
			b = append(b, graphic(c))
		}
	}
	return b
}
