// Package direct writes the blocks of rings to a file as they lie in memory.
//
// A block that the kernel has retired is made into pcapng where it is, and
// written with O_DIRECT: the disk takes it from the pages of the ring, and
// nobody copies a packet. The memory between the data of two packets, in which
// the kernel keeps its own header, has room for the end of one Enhanced Packet
// Block and the beginning of the next:
//
//	the kernel's block        the file's page
//	block header              (stays, is not written)
//	------- 4096 -----------  ------------------------------------------
//	packet header             Interface Statistics Block, packet header
//	data                      data
//	padding, packet header    padding, options, trailer, packet header
//	data                      data
//	...                       padding, options up to the end of the page
//
// Of the room that is left, epb_flags, epb_packetid and epb_queue take the
// useful part, and an option of a code for local use the rest. Where packets
// are so small that this would make the file much larger, they are moved
// together inside the block, and have epb_flags only.
//
// Each block begins with statistics of its interface so far, which have no
// isb_endtime, so that the file tells how complete it is up to any block.
//
// # Order
//
// Several rings share a file: each takes the next free page for its block. A
// ring's packets are in time order, those of the file are not, unless there is
// but one ring.
//
// # Faults
//
// All that is written below [File.Size] is whole blocks. A ring may be at most
// a fixed number of blocks ahead of a slower one, so if the machine dies, no
// more than these follow upon the place up to which the file can be read. Any
// other end cuts the file behind its last whole block, and then come the final
// statistics.
package direct
