package afpacket

import "fmt"

// A Geometry is the size of a ring: Blocks blocks of BlockSize bytes. A block
// is what is handed over at a time, so its size sets the number of wake-ups;
// the product sets how long a stall is survived.
type Geometry struct {
	BlockSize int
	Blocks    int
}

// DefaultGeometry is a ring of 16 MiB for one capture.
var DefaultGeometry = Geometry{BlockSize: 1 << 20, Blocks: 16}

// PodGeometry is a ring of 2 MiB, for nodes on which many pods are captured
// at a time. Each retire timeout in which something comes takes a block, however
// little came, so there are as many as the longest packet allows.
var PodGeometry = Geometry{BlockSize: maxLeast, Blocks: 8}

// LargeGeometry is a ring of 64 MiB, for the rates of gateways, and for blocks
// that are written to disk one at a time: the larger the write, the less it
// costs a byte.
var LargeGeometry = Geometry{BlockSize: 4 << 20, Blocks: 16}

// RoomyGeometry is a ring of 64 MiB whose packets are copied. Its blocks make
// for few wake-ups. They are larger than the pieces in which most machines keep
// their free memory, so that the kernel puts them together from single pages:
// these are at hand also where memory is in pieces, and in virtual machines
// whose host has taken the large pieces back.
var RoomyGeometry = Geometry{BlockSize: 8 << 20, Blocks: 8}

// maxLeast is as large as a block has to be for any packet, in bytes. The kernel
// takes its memory in powers of two, so that a block with room for MaxSnaplen
// bytes and their headers would take twice that. What of a packet does not fit
// is cut, as by a snapshot length.
const maxLeast = 1 << 18

// minBlocks is the fewest blocks that a ring works with: one that the kernel
// fills while the other is read.
const minBlocks = 2

// Size is the memory that the ring takes, in bytes.
func (g Geometry) Size() int { return g.BlockSize * g.Blocks }

// String gives the geometry as "16 x 1024 KiB".
func (g Geometry) String() string {
	return fmt.Sprintf("%d x %d KiB", g.Blocks, g.BlockSize>>10)
}

// Resize keeps the block size, as far as size allows, and sets the number of
// blocks so that the ring takes about size bytes.
func (g Geometry) Resize(size int) Geometry {
	if g.BlockSize == 0 {
		g.BlockSize = DefaultGeometry.BlockSize
	}
	for g.BlockSize > 1<<16 && size < minBlocks*g.BlockSize {
		g.BlockSize /= 2
	}
	g.Blocks = max(minBlocks, size/g.BlockSize)
	return g
}

// fit makes a block a multiple of the page size, as packet_mmap demands, and
// large enough for one largest packet: the kernel silently cuts a packet that
// does not fit a block.
func (g Geometry) fit(largest, pageSize int) (Geometry, error) {
	if g.BlockSize == 0 {
		g.BlockSize = DefaultGeometry.BlockSize
	}
	if g.Blocks == 0 {
		g.Blocks = max(minBlocks, DefaultGeometry.Size()/g.BlockSize)
	}
	if g.BlockSize < 0 || g.Blocks < 0 {
		return g, fmt.Errorf("ring of %d blocks of %d bytes: sizes must be positive", g.Blocks, g.BlockSize)
	}
	g.BlockSize = roundUp(max(g.BlockSize, largest+frameOverhead), pageSize)
	g.Blocks = max(g.Blocks, minBlocks)
	if int64(g.BlockSize)*int64(g.Blocks) > 1<<40 || g.BlockSize > 1<<30 {
		return g, fmt.Errorf("ring of %s is larger than the kernel can map", g)
	}
	return g, nil
}

// smaller is the next thing to try when the kernel has no memory for g. Its
// second result is false when there is nothing left to try.
func (g Geometry) smaller(largest, pageSize int) (Geometry, bool) {
	least := roundUp(largest+frameOverhead, pageSize)
	switch {
	case g.Blocks > 2*minBlocks:
		g.Blocks = g.Blocks / 2
	case g.BlockSize > least:
		g.BlockSize = max(least, roundUp(g.BlockSize/2, pageSize))
	case g.Blocks > minBlocks:
		g.Blocks = minBlocks
	default:
		return g, false
	}
	return g, true
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }
