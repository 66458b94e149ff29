package afpacket

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// Layout of struct tpacket_block_desc with its struct tpacket_hdr_v1, from
// linux/if_packet.h. All numbers are in the machine's byte order.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	blockLen     = 20
	blockNumber  = 24
	blockLast    = 40 // seconds and nanoseconds of the last packet
	blockHeader  = 48
)

// Bits of the status of a block.
const (
	statusUser   = 1      // TP_STATUS_USER: the block is the reader's
	statusLosing = 1 << 2 // TP_STATUS_LOSING
)

// A Block is a retired block of the ring, lent to the reader until Release.
// Packets that were read from it, and their data, are valid until then.
type Block struct {
	data  []byte
	held  *atomic.Bool
	freed chan<- struct{}
}

// BlockOf is a block in memory of its own, of at least 48 bytes and laid out as
// the kernel does it. It need not be released. It serves tests of what reads
// blocks.
func BlockOf(data []byte) Block { return Block{data: data} }

// Len is how many packets the block holds.
func (b *Block) Len() int {
	return int(binary.NativeEndian.Uint32(b.data[blockPackets:]))
}

// LastTime is the time of the last packet, as Packet.Time.
func (b *Block) LastTime() int64 { return timeAt(b.data[blockLast:]) }

// timeAt reads the two words in which the kernel tells a time.
func timeAt(b []byte) int64 {
	sec := binary.NativeEndian.Uint32(b)
	return int64(sec)*1e9 + int64(binary.NativeEndian.Uint32(b[4:]))
}

// Losing reports whether the kernel had dropped packets, and their number had
// not been asked for by Ring.Stats, when it retired the block.
func (b *Block) Losing() bool {
	return atomic.LoadUint32(statusOf(b.data))&statusLosing != 0
}

// First is the offset of the first packet, 0 if there is none.
func (b *Block) First() uint32 {
	if b.Len() == 0 {
		return 0
	}
	return b.within(0, binary.NativeEndian.Uint32(b.data[blockFirst:]))
}

// Next is the offset of the packet that follows the one at an offset, 0 after
// the last one.
func (b *Block) Next(at uint32) uint32 {
	step := binary.NativeEndian.Uint32(b.data[at+frameNext:])
	if step == 0 {
		return 0
	}
	return b.within(at, step)
}

// within is at+step if a packet header fits there, else 0. The kernel writes
// no others; the check keeps a block of any bytes from being read beyond its
// end or for ever.
func (b *Block) within(at, step uint32) uint32 {
	to := uint64(at) + uint64(step)
	if to < blockHeader || to+frameData > uint64(len(b.data)) {
		return 0
	}
	return uint32(to)
}

// Release gives the block back to the kernel. It may be called from another
// goroutine than the one that called Ring.Next, once, in any order of blocks.
func (b *Block) Release() {
	b.held.Store(false)
	atomic.StoreUint32(statusOf(b.data), 0)
	select {
	case b.freed <- struct{}{}:
	default:
	}
}

// Size is how many bytes of memory the block takes.
func (b *Block) Size() int { return len(b.data) }

// Move copies the block to other memory, of at least its Size, and gives the
// original back to the kernel as Release does. The block lives on in the other
// memory, with all its packets at their offsets, and is not released again.
func (b *Block) Move(to []byte) {
	used := binary.NativeEndian.Uint32(b.data[blockLen:])
	n := copy(to, b.data[:min(uint64(used), uint64(len(b.data)))])
	b.Release()
	*b = Block{data: to[:n:n]}
}

// statusOf is the word by which kernel and reader hand a block to each other.
func statusOf(block []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(&block[blockStatus]))
}

// packetsOf is the number of packets in a block, which the kernel counts up
// while it fills the block.
func packetsOf(block []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(&block[blockPackets]))
}

// numberOf is the number of a block, which the kernel counts up with each block
// that it begins to fill.
func numberOf(block []byte) uint64 {
	return binary.NativeEndian.Uint64(block[blockNumber:])
}
