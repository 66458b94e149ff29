package pcapwriter

import (
	"encoding/binary"
	"unicode/utf8"
)

// Block types, from "Block Types" of the draft.
const (
	blockInterface  = 1
	blockNames      = 4
	blockStatistics = 5
	blockPacket     = 6
	blockSecrets    = 10
	blockSection    = 0x0A0D0D0A
)

// Options that every block may have, from "Options".
const (
	optEnd     = 0
	optComment = 1
)

// Sizes of the framing, in bytes.
const (
	blockHeaderLen  = 8 // block type and block total length
	blockTrailerLen = 4 // block total length again
	optionHeaderLen = 4 // option code and option length
)

// maxOptionLen is the longest value of an option that is used, in bytes. The
// length field could say 65535, but some readers, gopacket among them, add the
// padding in 16 bits; so the padded length stays below 65536 too.
const maxOptionLen = 1<<16 - 4

// beginBlock appends the header of a block whose length is not known yet.
// endBlock fills it in.
func beginBlock(b []byte, typ uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, typ)
	return append(b, 0, 0, 0, 0)
}

// endBlock closes the block that began at offset start: "Block Total Length"
// counts the whole block and stands at both of its ends.
func endBlock(b []byte, start int) []byte {
	total := uint32(len(b) - start + blockTrailerLen)
	binary.LittleEndian.PutUint32(b[start+4:], total)
	return binary.LittleEndian.AppendUint32(b, total)
}

// wholeBlocks tells how many of the first bytes of b are whole blocks, and how
// many of these blocks are packets. The blocks are this package's own, but b
// may end inside one.
func wholeBlocks(b []byte) (size int, packets uint64) {
	for len(b)-size >= blockHeaderLen {
		typ := binary.LittleEndian.Uint32(b[size:])
		total := int(binary.LittleEndian.Uint32(b[size+4:]))
		if total > len(b)-size {
			break
		}
		size += total
		if typ == blockPacket {
			packets++
		}
	}
	return size, packets
}

// forEachPacket calls f with the interface of each packet among whole blocks
// of this package's own.
func forEachPacket(b []byte, f func(i uint32)) {
	for len(b) >= blockHeaderLen {
		if binary.LittleEndian.Uint32(b) == blockPacket {
			f(binary.LittleEndian.Uint32(b[blockHeaderLen:]))
		}
		b = b[binary.LittleEndian.Uint32(b[4:]):]
	}
}

// padding is the number of zero bytes that bring n to a multiple of 4, the
// alignment of every field, option and block.
func padding(n int) int {
	return -n & 3
}

// pad brings b, whose current field is n bytes long, to the alignment.
func pad(b []byte, n int) []byte {
	var zero [3]byte
	return append(b, zero[:padding(n)]...)
}

// appendOptionHeader appends the code and the length that precede a value.
func appendOptionHeader(b []byte, code uint16, n int) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	return binary.LittleEndian.AppendUint16(b, uint16(n))
}

// appendUint64 appends an option with a 64-bit number.
func appendUint64(b []byte, code uint16, v uint64) []byte {
	b = appendOptionHeader(b, code, 8)
	return binary.LittleEndian.AppendUint64(b, v)
}

// appendTime appends ns as pcapng stores time: the upper 32 bits first, then
// the lower 32 bits, each of them little-endian. It is not one 64-bit number.
func appendTime(b []byte, ns int64) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(ns>>32))
	return binary.LittleEndian.AppendUint32(b, uint32(ns))
}

// appendString appends an option with a string, or nothing for an empty one.
func appendString(b []byte, code uint16, s string) []byte {
	if s == "" {
		return b
	}
	start := len(b)
	b = appendOptionHeader(b, code, 0)
	b = appendText(b, s, maxOptionLen)
	return endOption(b, start)
}

// endOption fills in the length of the option that began at offset start, and
// aligns its value.
func endOption(b []byte, start int) []byte {
	n := len(b) - start - optionHeaderLen
	binary.LittleEndian.PutUint16(b[start+2:], uint16(n))
	return pad(b, n)
}

// appendText appends s as UTF-8 of at most limit bytes. What is not UTF-8
// becomes U+FFFD, and so does a zero byte, since readers "MUST treat a
// zero-value octet as a string terminator". The cut is between two runes.
func appendText(b []byte, s string, limit int) []byte {
	end := len(b) + limit
	for _, r := range s {
		if r == 0 {
			r = utf8.RuneError
		}
		if len(b)+utf8.RuneLen(r) > end {
			break
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}
