package direct

import (
	"encoding/binary"

	"icap/afpacket"
)

// pageSize is the unit of a write with O_DIRECT: no disk in use has larger
// sectors.
const pageSize = 4096

// Block types and options of pcapng that are written here.
const (
	blockStatistics = 5
	blockPacket     = 6

	optEnd = 0

	optStatisticsReceived = 4 // isb_ifrecv
	optStatisticsDropped  = 5 // isb_ifdrop

	optPacketFlags = 2 // epb_flags
	optPacketID    = 5 // epb_packetid
	optPacketQueue = 6 // epb_queue

	// optFiller has a code that pcapng leaves to local use: "Codes with the
	// high bit set". Readers skip it.
	optFiller = 0x8000
)

// Sizes in bytes.
const (
	packetHeaderLen = 28 // of an Enhanced Packet Block, ahead of the data
	trailerLen      = 4  // block total length again
	endLen          = 4  // opt_endofopt
	flagsLen        = 8
	idLen           = 12
	queueLen        = 8
	counterLen      = 12

	// plainTail is what follows the data of a packet that has epb_flags and
	// nothing else.
	plainTail = flagsLen + endLen + trailerLen

	// statisticsMin is an Interface Statistics Block without options.
	statisticsMin = 24

	tagLen    = 4  // an 802.1Q tag
	tagOffset = 12 // it stands behind the two hardware addresses
)

// flags are epb_flags of each type of packet: direction in bits 0 and 1,
// reception in bits 2 to 4.
var flags = [...]uint32{
	afpacket.ToHost:   1 | 1<<2, // inbound, unicast
	afpacket.ToAll:    1 | 3<<2, // inbound, broadcast
	afpacket.ToGroup:  1 | 2<<2, // inbound, multicast
	afpacket.ToOther:  1 | 4<<2, // inbound, promiscuous
	afpacket.FromHost: 2,        // outbound
}

// putOption writes the header of an option.
func putOption(b []byte, code uint16, n int) {
	binary.LittleEndian.PutUint32(b, uint32(code)|uint32(n)<<16)
}

// putTime writes ns as pcapng does: the upper half first.
func putTime(b []byte, ns int64) {
	binary.LittleEndian.PutUint32(b, uint32(ns>>32))
	binary.LittleEndian.PutUint32(b[4:], uint32(ns))
}

// putEnd fills what is left of a block's options, and ends them. Nothing and a
// bare end are options too.
func putEnd(b []byte) {
	const most = 1<<16 - 4 // of an option, padded
	for len(b) > endLen {
		n := min(len(b)-2*endLen, most)
		putOption(b, optFiller, n)
		clear(b[endLen : endLen+n])
		b = b[endLen+n:]
	}
	if len(b) > 0 {
		putOption(b, optEnd, 0)
	}
}

// putStatistics makes all of b one Interface Statistics Block, with as many
// counters as there is room for.
func putStatistics(b []byte, iface uint32, at int64, received, dropped uint64) {
	total := uint32(len(b))
	binary.LittleEndian.PutUint32(b, blockStatistics)
	binary.LittleEndian.PutUint32(b[4:], total)
	binary.LittleEndian.PutUint32(b[8:], iface)
	putTime(b[12:], at)
	binary.LittleEndian.PutUint32(b[total-trailerLen:], total)
	o := b[20 : total-trailerLen]
	if len(o) >= 2*counterLen+endLen {
		putOption(o, optStatisticsReceived, 8)
		binary.LittleEndian.PutUint64(o[4:], received)
		o = o[counterLen:]
	}
	if len(o) >= counterLen+endLen {
		putOption(o, optStatisticsDropped, 8)
		binary.LittleEndian.PutUint64(o[4:], dropped)
		o = o[counterLen:]
	}
	putEnd(o)
}
