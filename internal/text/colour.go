package text

// The colours of a terminal, as ECMA-48 numbers them.
const (
	red    = 31
	yellow = 33
)

// colours tell labels apart. Red is for resets.
type colours map[string]uint8

// of returns the colour of a label: the next one for a new label, and then the
// same again.
func (c colours) of(label string) uint8 {
	palette := [...]uint8{36, 32, 35, 34, 96, 92, 95, 94}
	n, known := c[label]
	if !known && len(c) < 1<<10 {
		n = palette[len(c)%len(palette)]
		c[label] = n
	}
	return n
}

// appendLabel appends what stands behind the time.
func (p *Printer) appendLabel(b []byte, label string) []byte {
	if p.colours == nil {
		return append(appendSafe(b, label), ' ')
	}
	b = appendSafe(appendColour(b, p.colours.of(label)), label)
	return append(appendPlain(b), ' ')
}

// appendFlags appends the flags of a segment. Those that end a connection
// stand out.
func (p *Printer) appendFlags(b []byte, flags uint8) []byte {
	colour := uint8(0)
	switch {
	case p.colours == nil:
	case flags&tcpRST != 0:
		colour = red
	case flags&tcpFIN != 0:
		colour = yellow
	}
	if colour != 0 {
		b = appendColour(b, colour)
	}
	b = append(b, "Flags ["...)
	if flags == 0 {
		b = append(b, "none"...)
	}
	for i := range len(tcpFlags) {
		if flags>>i&1 != 0 {
			b = append(b, tcpFlags[i])
		}
	}
	b = append(b, ']')
	if colour != 0 {
		b = appendPlain(b)
	}
	return b
}

// appendColour makes a terminal write in a colour from here on, and
// appendPlain makes it stop that.
func appendColour(b []byte, colour uint8) []byte {
	return append(appendInt(append(b, "\x1b["...), colour), 'm')
}

func appendPlain(b []byte) []byte { return append(b, "\x1b[0m"...) }
