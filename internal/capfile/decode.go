package capfile

import "fmt"

// Where the fields of blocks are, in bytes from their beginning.
const (
	interfaceSnaplen = 12
	interfaceOptions = 16

	packetInterface = 8
	packetTime      = 12
	packetCaptured  = 20
	packetLen       = 24
	packetData      = 28

	simpleLen  = 8
	simpleData = 12

	statisticsTime    = packetTime
	statisticsOptions = 20
)

// decode looks into a block.
func (d *decoder) decode(b *Block) error {
	switch b.Type {
	case TypeSection:
		if len(b.Raw) < sectionLen {
			return d.wrong("the section header is too short")
		}
		return nil
	case TypeInterface:
		return d.decodeInterface(b)
	case TypePacket:
		i := uint32(0)
		if len(b.Raw) >= packetData+trailerLen {
			i = b.Order.Uint32(b.Raw[packetInterface:])
		}
		return d.decodePacket(b, i)
	case TypeOldPacket:
		i := uint32(0)
		if len(b.Raw) >= packetData+trailerLen {
			i = uint32(b.Order.Uint16(b.Raw[packetInterface:]))
		}
		return d.decodePacket(b, i)
	case TypeSimple:
		return d.decodeSimple(b)
	}
	return nil
}

func (d *decoder) decodeInterface(b *Block) error {
	if len(b.Raw) < interfaceOptions+trailerLen {
		return d.wrong("the interface is too short")
	}
	i := &Interface{
		Index:    len(d.interfaces),
		LinkType: b.Order.Uint16(b.Raw[headerLen:]),
		Snaplen:  b.Order.Uint32(b.Raw[interfaceSnaplen:]),
		clock:    microseconds,
	}
	options := b.Raw[interfaceOptions : len(b.Raw)-trailerLen]
	for o, rest, ok := NextOption(options, b.Order); ok; o, rest, ok = NextOption(rest, b.Order) {
		if !i.apply(o, b.Order) {
			return d.wrong(fmt.Sprintf("option %d of the interface makes no sense", o.Code))
		}
	}
	d.interfaces = append(d.interfaces, i)
	return nil
}

// decodePacket reads an Enhanced Packet Block, or its obsolete forerunner,
// which has the same fields behind the interface.
func (d *decoder) decodePacket(b *Block, i uint32) error {
	if len(b.Raw) < packetData+trailerLen {
		return d.wrong("the packet is too short")
	}
	if uint64(i) >= uint64(len(d.interfaces)) {
		return d.wrong(fmt.Sprintf("the packet is of interface %d, and the section has %d so far", i, len(d.interfaces)))
	}
	captured := uint64(b.Order.Uint32(b.Raw[packetCaptured:]))
	end := uint64(len(b.Raw) - trailerLen)
	if packetData+captured > end {
		return d.wrong(fmt.Sprintf("the packet has %d bytes, more than its block", captured))
	}
	from := d.interfaces[i]
	d.packet = Packet{
		Interface: from,
		Time:      from.clock.nanoseconds(getTime(b.Raw[packetTime:], b.Order)),
		Data:      b.Raw[packetData : packetData+captured : packetData+captured],
		At:        packetData,
		Len:       int(b.Order.Uint32(b.Raw[packetLen:])),
		Options:   b.Raw[min(packetData+uint64(aligned(int(captured))), end):end],
	}
	b.Packet = &d.packet
	return nil
}

// decodeSimple reads a Simple Packet Block, which is of the first interface.
func (d *decoder) decodeSimple(b *Block) error {
	if len(b.Raw) < simpleData+trailerLen || len(d.interfaces) == 0 {
		return d.wrong("the simple packet is too short, or the section has no interface")
	}
	from := d.interfaces[0]
	n := int(b.Order.Uint32(b.Raw[simpleLen:]))
	captured := min(n, len(b.Raw)-simpleData-trailerLen)
	if from.Snaplen > 0 {
		captured = min(captured, int(from.Snaplen))
	}
	d.packet = Packet{Interface: from, Data: b.Raw[simpleData : simpleData+captured : simpleData+captured], At: simpleData, Len: n}
	b.Packet = &d.packet
	return nil
}
