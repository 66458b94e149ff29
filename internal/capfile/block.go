package capfile

import (
	"encoding/binary"
	"fmt"
)

// Types of blocks, from "Block Types" of the draft.
const (
	TypeSection    = 0x0A0D0D0A
	TypeInterface  = 1
	TypeOldPacket  = 2 // obsolete
	TypeSimple     = 3
	TypeNames      = 4
	TypeStatistics = 5
	TypePacket     = 6
)

// A Block is one block of a file. It is valid until the next call of
// Reader.Next.
type Block struct {
	Type uint32
	// Raw is the whole block as it stands in the file, in Order.
	Raw   []byte
	Order binary.ByteOrder
	// Offset is where the block begins in the file, in bytes.
	Offset int64
	// Packet is what is in the block, nil if it has no packet.
	Packet *Packet
}

// A Packet is one packet of a file.
type Packet struct {
	// Interface is where it was captured.
	Interface *Interface
	// Time is in nanoseconds since 1970-01-01 UTC; 0 for a packet of a
	// Simple Packet Block, which has none.
	Time int64
	// Data is what was captured. It lies in the block, At bytes behind its
	// beginning: who changes it changes the block.
	Data []byte
	At   int
	// Len is the length on the wire in bytes.
	Len int
	// Options are those of the packet, to be read with Option, nil if it
	// cannot have any.
	Options []byte
}

// An Interface is one interface of a section.
type Interface struct {
	// Index is its place in the section, from 0.
	Index    int
	LinkType uint16
	Snaplen  uint32 // 0: no limit
	Name     string
	// Description is free text.
	Description string
	// Filter is what if_filter says, if it is text.
	Filter string

	clock clock
}

// A FormatError says what is wrong with a file, and where.
type FormatError struct {
	Offset int64 // of the block, in bytes
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("block at byte %d: %s", e.Offset, e.Reason)
}

// A TornError says that a file ends inside a block, as after a crash. All that
// was read before is whole.
type TornError struct {
	Offset  int64 // of the last block, in bytes
	Missing int   // bytes, at least
}

func (e *TornError) Error() string {
	return fmt.Sprintf("the file ends in the middle of the block at byte %d: at least %d bytes are missing", e.Offset, e.Missing)
}
