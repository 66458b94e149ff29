package capfile

import "encoding/binary"

// Options of an Interface Statistics Block.
const (
	optionEndTime   = 3
	optionReceived  = 4
	optionDropped   = 5
	optionAccepted  = 6
	optionOSDropped = 7
	optionDelivered = 8
)

// optionDropCount is epb_dropcount of an Enhanced Packet Block.
const optionDropCount = 4

// A Counter is a number of packets that a file tells, or does not.
type Counter struct {
	N    uint64
	Told bool
}

// Statistics are the counters of an Interface Statistics Block.
type Statistics struct {
	// Interface is the index of the interface in its section.
	Interface uint32
	Received  Counter // isb_ifrecv
	Dropped   Counter // isb_ifdrop
	Accepted  Counter // isb_filteraccept
	OSDropped Counter // isb_osdrop
	Delivered Counter // isb_usrdeliv
	// Ended says that they are the last ones of the interface, since they tell
	// when the capture ended (isb_endtime). Those without are counts so far.
	Ended bool
}

// Statistics are those that are in the block. It is not ok for other blocks.
func (b *Block) Statistics() (s Statistics, ok bool) {
	if b.Type != TypeStatistics || len(b.Raw) < statisticsOptions+trailerLen {
		return s, false
	}
	s.Interface = b.Order.Uint32(b.Raw[headerLen:])
	counters := map[uint16]*Counter{
		optionReceived:  &s.Received,
		optionDropped:   &s.Dropped,
		optionAccepted:  &s.Accepted,
		optionOSDropped: &s.OSDropped,
		optionDelivered: &s.Delivered,
	}
	options := b.Raw[statisticsOptions : len(b.Raw)-trailerLen]
	for o, rest, ok := NextOption(options, b.Order); ok; o, rest, ok = NextOption(rest, b.Order) {
		if c := counters[o.Code]; c != nil && len(o.Value) == 8 {
			*c = Counter{b.Order.Uint64(o.Value), true}
		}
		s.Ended = s.Ended || o.Code == optionEndTime && len(o.Value) == 8
	}
	return s, true
}

// Gap is how many packets were lost ahead of this one, as epb_dropcount tells
// it.
func (p *Packet) Gap(order binary.ByteOrder) uint64 {
	for o, rest, ok := NextOption(p.Options, order); ok; o, rest, ok = NextOption(rest, order) {
		if o.Code == optionDropCount && len(o.Value) == 8 {
			return order.Uint64(o.Value)
		}
	}
	return 0
}
