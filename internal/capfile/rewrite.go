package capfile

import "encoding/binary"

// Options of statistics that are times.
const (
	optionStart = 2
	optionEnd   = 3
)

// Renumber gives a packet or statistics to another interface, by its place in
// the section. Obsolete and simple packets, and other blocks, stay as they are.
func (b *Block) Renumber(i uint32) {
	if b.Type == TypePacket || b.Type == TypeStatistics {
		b.Order.PutUint32(b.Raw[packetInterface:], i)
	}
}

// SetTime gives a packet, or the block of statistics, another time, in
// nanoseconds since 1970-01-01 UTC. It is for sections whose interfaces count
// in nanoseconds.
func (b *Block) SetTime(ns int64) {
	if b.Type == TypePacket || b.Type == TypeStatistics {
		putTime(b.Raw[packetTime:], b.Order, ns)
	}
}

// RetimeStatistics passes every time of statistics of an interface through to,
// in nanoseconds, and writes the results in nanoseconds, see SetTime.
func (b *Block) RetimeStatistics(i *Interface, to func(ns int64) int64) {
	if _, ok := b.Statistics(); !ok {
		return
	}
	retime := func(at []byte) {
		putTime(at, b.Order, to(i.clock.nanoseconds(getTime(at, b.Order))))
	}
	retime(b.Raw[statisticsTime:])
	options := b.Raw[statisticsOptions : len(b.Raw)-trailerLen]
	for o, rest, ok := NextOption(options, b.Order); ok; o, rest, ok = NextOption(rest, b.Order) {
		if (o.Code == optionStart || o.Code == optionEnd) && len(o.Value) == 8 {
			retime(o.Value)
		}
	}
}

// getTime reads a time, whose upper 32 bits stand first in either byte order.
func getTime(at []byte, order binary.ByteOrder) uint64 {
	return uint64(order.Uint32(at))<<32 | uint64(order.Uint32(at[4:]))
}

func putTime(at []byte, order binary.ByteOrder, ns int64) {
	order.PutUint32(at, uint32(uint64(ns)>>32))
	order.PutUint32(at[4:], uint32(ns))
}
