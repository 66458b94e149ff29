package capfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A Reader reads a file block by block. It is for one goroutine.
type Reader struct {
	in     *bufio.Reader
	offset int64 // of the next block
	block  Block
	packet Packet
	buf    []byte // of a block that does not fit into the reader's buffer

	order      binary.ByteOrder
	interfaces []*Interface // of the section
	skip       int          // bytes of the buffer that belong to the last block

	old *pcap // of a pcap file
}

// bufferSize is how much is read at a time, in bytes. It is more than most
// blocks have.
const bufferSize = 1 << 20

// maxBlock is the longest block that is taken for one, in bytes. What claims
// to be longer is no block, and would take the memory for it.
const maxBlock = 64 << 20

// ErrNotCapture means that a file is neither pcapng nor pcap.
var ErrNotCapture = errors.New("neither pcapng nor pcap")

// NewReader reads the beginning of a file. The error is io.EOF when the file
// is empty, and ErrNotCapture when it is something else.
func NewReader(r io.Reader) (*Reader, error) {
	f := &Reader{in: bufio.NewReaderSize(r, bufferSize)}
	magic, err := f.in.Peek(4)
	if len(magic) < 4 {
		if err == io.EOF && len(magic) > 0 {
			err = ErrNotCapture
		}
		return nil, err
	}
	if binary.LittleEndian.Uint32(magic) == TypeSection {
		return f, nil
	}
	f.old, err = f.newPcap()
	return f, err
}

// Next returns the next block, which is valid until the following call. The
// error is io.EOF at the end of the file, a *TornError if that is inside a
// block, a *FormatError if there is something else, or that of the reader.
func (r *Reader) Next() (*Block, error) {
	if r.old != nil {
		return r.nextOld()
	}
	raw, err := r.raw()
	if err != nil {
		return nil, err
	}
	r.block = Block{Type: r.order.Uint32(raw), Raw: raw, Order: r.order, Offset: r.offset}
	if err := r.decode(&r.block); err != nil {
		return nil, err
	}
	r.offset += int64(len(raw))
	return &r.block, nil
}

// The framing of a block, in bytes.
const (
	headerLen  = 8  // type and length
	trailerLen = 4  // length again
	sectionLen = 28 // of the shortest section header
)

// raw reads the next block whole.
func (r *Reader) raw() ([]byte, error) {
	head, err := r.peek(headerLen + 4)
	if err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(head) == TypeSection {
		if err := r.begin(head[headerLen:]); err != nil {
			return nil, err
		}
	}
	if r.order == nil {
		return nil, r.wrong("it is not the section header that a file begins with")
	}
	n := r.order.Uint32(head[4:])
	if n < headerLen+trailerLen || n%4 != 0 || n > maxBlock {
		return nil, r.wrong(fmt.Sprintf("its length cannot be %d bytes", n))
	}
	raw, err := r.take(int(n))
	if err != nil {
		return nil, err
	}
	if end := r.order.Uint32(raw[n-trailerLen:]); end != n {
		return nil, r.wrong(fmt.Sprintf("its length is %d at the beginning and %d at the end", n, end))
	}
	return raw, nil
}

// begin starts a section, whose byte order is that of its magic number.
func (r *Reader) begin(magic []byte) error {
	const byteOrderMagic = 0x1A2B3C4D
	switch {
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		r.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		r.order = binary.BigEndian
	default:
		return r.wrong("the byte order of the section is neither big nor little endian")
	}
	r.interfaces = r.interfaces[:0]
	return nil
}

// peek looks at the next n bytes, which are the beginning of a block. The
// error is io.EOF if there is none.
func (r *Reader) peek(n int) ([]byte, error) {
	if _, err := r.in.Discard(r.skip); err != nil {
		return nil, err
	}
	r.skip = 0
	b, err := r.in.Peek(n)
	if err == io.EOF && len(b) > 0 {
		err = &TornError{r.offset, n - len(b)}
	}
	return b, err
}

// take returns the next n bytes, and keeps them valid until the next peek.
func (r *Reader) take(n int) ([]byte, error) {
	if n <= bufferSize {
		b, err := r.in.Peek(n)
		if err == io.EOF {
			err = &TornError{r.offset, n - len(b)}
		}
		r.skip = len(b)
		return b, err
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	got, err := io.ReadFull(r.in, r.buf[:n])
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = &TornError{r.offset, n - got}
	}
	return r.buf[:n], err
}

func (r *Reader) wrong(reason string) error { return &FormatError{r.offset, reason} }
