package capfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// A Reader reads a file block by block. It is for one goroutine.
type Reader struct {
	decoder
	in   *bufio.Reader
	buf  []byte // of a block that does not fit into the reader's buffer
	skip int    // bytes of the buffer that belong to the last block

	old *pcap // of a pcap file
}

// bufferSize is how much is read at a time, in bytes. It is more than most
// blocks have.
const bufferSize = 1 << 20

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
	head, err := r.peek(HeadLen)
	if err != nil {
		return nil, err
	}
	n, err := r.size(head)
	if err != nil {
		return nil, err
	}
	raw, err := r.take(n)
	if err != nil {
		return nil, err
	}
	return r.whole(raw)
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
