package afpacket

import "encoding/binary"

// DirectStart is where the first packet of a block begins in a ring that was
// opened with Config.Direct. The kernel leaves the memory between the block's
// header and DirectStart alone (tp_sizeof_priv), so that a write with O_DIRECT,
// which needs whole pages, can begin there and spare the header. The header
// must stay as it is until the block is released: it has the word by which the
// kernel takes the block back.
const DirectStart = 4096

// directReserve moves the data of packets (PACKET_RESERVE), which the kernel
// places so that what follows an Ethernet header of 14 bytes is aligned to 16,
// to a multiple of 4.
const directReserve = 2

// Memory is all of the block, its header included. The reader may write to it
// behind the header, and packets that it overwrites are gone.
func (b *Block) Memory() []byte { return b.data }

// Used is how many bytes of the block the kernel filled, from its beginning.
func (b *Block) Used() int {
	used := binary.NativeEndian.Uint32(b.data[blockLen:])
	return int(min(uint64(used), uint64(len(b.data))))
}

// DataOffset is where in Memory the data of the packet at an offset begins.
func (b *Block) DataOffset(at uint32) int {
	mac := binary.NativeEndian.Uint16(b.data[at+frameMAC:])
	return int(min(uint64(at)+uint64(mac), uint64(len(b.data))))
}
