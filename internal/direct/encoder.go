package direct

import (
	"errors"
	"fmt"

	"icap/afpacket"
)

// ErrLayout means that a block does not lie in memory as the kernel lays it
// out.
var ErrLayout = errors.New("ring block has an unknown layout")

// An Encoder makes the blocks of one ring into pcapng. The ring was opened
// with afpacket.Config.Direct.
type Encoder struct {
	// Interface is the place of the ring's interface in the file, from 0.
	Interface uint32
	// Queue is the number of the ring among those of the interface. It is
	// told with the packets as epb_queue and in the upper 16 bits of
	// epb_packetid.
	Queue uint32
	// NoFlags leaves out epb_flags: direction and reception.
	NoFlags bool
	// Snaplen is the file's; 0 means afpacket.MaxSnaplen. A packet that its
	// VLAN tag makes longer is cut.
	Snaplen int

	packets      uint64
	this, follow packet
}

// A Chunk is a block that was made into pcapng.
type Chunk struct {
	// Data are whole blocks of pcapng, statistics and then packets, in the
	// memory of the ring's block and valid until that is released. They are
	// whole pages, unless the chunk is Small.
	Data []byte
	// Packets is how many packets there are.
	Packets int
	// Small says that the chunk ends behind its last packet. To fill up the
	// page would take too much of the disk.
	Small bool

	iface      uint32
	received   uint64
	dropped    uint64
	statistics int   // length of the first block
	last       int64 // time of the last packet
}

// Count writes the counters of the interface into the first block of a chunk
// that has packets. Received includes Dropped.
func (c *Chunk) Count(received, dropped uint64) {
	c.received, c.dropped = received, dropped
	putStatistics(c.Data[:c.statistics], c.iface, c.last, received, dropped)
}

// smallSize is the most that the kernel has put into a block whose chunk is
// small, and the most that the chunk has.
const smallSize = 64 << 10

// What a packet takes beside its data: in a block of the kernel, and at least
// in a file.
const (
	frameRoom = 88
	leastRoom = packetHeaderLen + trailerLen
)

// Encode makes the first packets of a block into a chunk, limit at most. It
// allocates nothing. The packets cannot be read from the block any more.
//
// An error wraps ErrLayout; the chunk then holds the packets ahead of the one
// that it is about, and no data at all if there are none.
func (e *Encoder) Encode(b *afpacket.Block, limit int) (Chunk, error) {
	var (
		mem  = b.Memory()
		end  = len(mem) &^ (pageSize - 1)
		n    = min(limit, b.Len())
		c    = Chunk{iface: e.Interface, Small: b.Used() <= afpacket.DirectStart+smallSize}
		pack = c.Small || packs(b)
	)
	if n <= 0 {
		return c, nil
	}
	this, follow := &e.this, &e.follow
	at := b.First()
	if at < afpacket.DirectStart {
		return c, fmt.Errorf("%w: its first packet is at %d", ErrLayout, at)
	}
	start := this.read(b, at, e.snaplen())
	if c.statistics = start - afpacket.DirectStart; c.statistics < statisticsMin || !this.place(start, end) {
		return c, fmt.Errorf("%w: its first packet has its data at %d", ErrLayout, this.from)
	}
	var err error
	for c.Packets = 1; c.Packets < n; c.Packets++ {
		if this.next == 0 {
			err = fmt.Errorf("%w: it has %d packets instead of %d", ErrLayout, c.Packets, b.Len())
			break
		}
		start := follow.read(b, this.next, e.snaplen())
		if pack {
			start = this.end + e.tail()
		}
		if start < this.end+trailerLen || !follow.place(start, end) {
			err = fmt.Errorf("%w: the data of packet %d of %d is at %d", ErrLayout, c.Packets, b.Len(), follow.from)
			break
		}
		this.write(mem, e.Interface)
		e.close(this, mem, start)
		this, follow = follow, this
	}
	this.write(mem, e.Interface)
	stop := this.end + e.tail()
	if !c.Small || stop > min(end, afpacket.DirectStart+smallSize) {
		c.Small = false
		stop = lastEnd(this.end, end)
	}
	e.close(this, mem, stop)
	c.last = this.Time
	c.Data = mem[afpacket.DirectStart:stop:stop]
	c.Count(0, 0)
	return c, err
}

// packs says whether the packets of a block are so small that in place they
// would take over 15 % more than they need.
func packs(b *afpacket.Block) bool {
	used := uint64(max(b.Used()-afpacket.DirectStart, 0))
	saved := min(used, uint64(b.Len())*(frameRoom-leastRoom))
	return 100*used > 115*(used-saved)
}

// lastEnd is where the last block of a chunk ends: with a page, with the one
// after it if there is no room for epb_flags in the first.
func lastEnd(data, limit int) int {
	roundUp := func(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }
	if end := roundUp(data + plainTail); end <= limit {
		return end
	}
	return roundUp(data + trailerLen)
}

// tail is what follows the data of a packet in a block that is packed.
func (e *Encoder) tail() int {
	if e.NoFlags {
		return trailerLen
	}
	return plainTail
}

func (e *Encoder) snaplen() int {
	if e.Snaplen == 0 {
		return afpacket.MaxSnaplen
	}
	return e.Snaplen
}
