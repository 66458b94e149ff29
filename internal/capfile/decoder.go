package capfile

import (
	"encoding/binary"
	"fmt"
)

// The framing of a block, in bytes.
const (
	headerLen  = 8  // type and length
	trailerLen = 4  // length again
	sectionLen = 28 // of the shortest section header
)

// HeadLen is how much of a block [Decoder.Size] looks at, in bytes.
const HeadLen = 12

// maxBlock is the longest block that is taken for one, in bytes. What claims
// to be longer is no block, and would take the memory for it.
const maxBlock = 64 << 20

// A Decoder looks into blocks of pcapng that somebody else reads into memory
// of his own, as a program does that reads many streams at once. It is for one
// goroutine. The zero value is ready for the beginning of a stream.
type Decoder struct{ decoder }

// Size returns how long the block is that begins with head, of at least
// [HeadLen] bytes. The error is a *FormatError.
func (d *Decoder) Size(head []byte) (int, error) { return d.size(head) }

// Decode looks into the next block, which is raw and as long as Size says. The
// block lies in raw, and is valid until the following call. The error is a
// *FormatError.
func (d *Decoder) Decode(raw []byte) (*Block, error) { return d.whole(raw) }

// Offset is where the next block begins in the stream, in bytes.
func (d *Decoder) Offset() int64 { return d.offset }

// Interface returns one interface of the section by its place in it, which must
// be less than the number of its interfaces so far.
func (d *Decoder) Interface(i int) *Interface { return d.interfaces[i] }

// A decoder knows as much of a file as it takes to look into a block.
type decoder struct {
	offset     int64 // of the next block
	order      binary.ByteOrder
	interfaces []*Interface // of the section
	block      Block
	packet     Packet
}

// size is the length of the block that begins with head. With a section header
// the section begins.
func (d *decoder) size(head []byte) (int, error) {
	if binary.LittleEndian.Uint32(head) == TypeSection {
		if err := d.begin(head[headerLen:]); err != nil {
			return 0, err
		}
	}
	if d.order == nil {
		return 0, d.wrong("it is not the section header that a file begins with")
	}
	n := d.order.Uint32(head[4:])
	if n < headerLen+trailerLen || n%4 != 0 || n > maxBlock {
		return 0, d.wrong(fmt.Sprintf("its length cannot be %d bytes", n))
	}
	return int(n), nil
}

// begin starts a section, whose byte order is that of its magic number.
func (d *decoder) begin(magic []byte) error {
	const byteOrderMagic = 0x1A2B3C4D
	switch {
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		d.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		d.order = binary.BigEndian
	default:
		return d.wrong("the byte order of the section is neither big nor little endian")
	}
	d.interfaces = d.interfaces[:0]
	return nil
}

// whole looks into a block that is all there.
func (d *decoder) whole(raw []byte) (*Block, error) {
	n := len(raw)
	if end := d.order.Uint32(raw[n-trailerLen:]); end != uint32(n) {
		return nil, d.wrong(fmt.Sprintf("its length is %d at the beginning and %d at the end", n, end))
	}
	d.block = Block{Type: d.order.Uint32(raw), Raw: raw, Order: d.order, Offset: d.offset}
	if err := d.decode(&d.block); err != nil {
		return nil, err
	}
	d.offset += int64(n)
	return &d.block, nil
}

func (d *decoder) wrong(reason string) error { return &FormatError{d.offset, reason} }
