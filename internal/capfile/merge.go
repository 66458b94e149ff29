package capfile

import (
	"fmt"
	"io"
)

// A Merger reads several files as one with a single section, whose packets are
// in time order as far as each file's are. It is for one goroutine.
type Merger struct {
	files   []*merged
	pending []Block // ahead of the next packet, in memory of their own
	started bool
	count   uint32 // interfaces so far
	block   Block
}

// A merged is one of the files.
type merged struct {
	*Reader
	head       *Block   // its next packet, nil if it has to be read
	interfaces []uint32 // of its section, by their places in the one section
	ended      bool
}

// NewMerger merges files of one byte order.
func NewMerger(files ...*Reader) *Merger {
	m := new(Merger)
	for _, f := range files {
		m.files = append(m.files, &merged{Reader: f})
	}
	return m
}

// Next returns the next block, as Reader.Next does. An error of one file ends
// all.
func (m *Merger) Next() (*Block, error) {
	for _, f := range m.files {
		if err := m.advance(f); err != nil {
			return nil, err
		}
	}
	if len(m.pending) > 0 {
		m.block = m.pending[0]
		m.pending = m.pending[1:]
		return &m.block, nil
	}
	var first *merged
	for _, f := range m.files {
		if f.head != nil && (first == nil || f.head.Packet.Time < first.head.Packet.Time) {
			first = f
		}
	}
	if first == nil {
		return nil, io.EOF
	}
	b := first.head
	first.head = nil
	return b, nil
}

// advance reads up to the next packet of a file. What is before it does not
// wait for the packets of other files.
func (m *Merger) advance(f *merged) error {
	for f.head == nil && !f.ended {
		b, err := f.Next()
		if err == io.EOF {
			f.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.take(f, b); err != nil {
			return err
		}
	}
	return nil
}

// take gives a block its place in the one section.
func (m *Merger) take(f *merged, b *Block) error {
	if order := m.files[0].order; b.Order != order {
		return wrongAt(b, "its byte order is not that of the first file")
	}
	switch b.Type {
	case TypeSection:
		f.interfaces = f.interfaces[:0]
		if m.started {
			return nil
		}
		m.started = true
		b.Unmeasure()
	case TypeInterface:
		f.interfaces = append(f.interfaces, m.count)
		m.count++
	case TypeStatistics:
		s, ok := b.Statistics()
		if !ok || uint64(s.Interface) >= uint64(len(f.interfaces)) {
			return wrongAt(b, "the statistics are of an interface that the section does not have")
		}
		b.Renumber(f.interfaces[s.Interface])
	case TypePacket:
		b.Renumber(f.interfaces[b.Packet.Interface.Index])
		f.head = b
		return nil
	case TypeOldPacket, TypeSimple:
		return wrongAt(b, fmt.Sprintf("packets in blocks of type %d cannot be merged; write the file anew first", b.Type))
	}
	own := *b
	own.Raw = append([]byte(nil), b.Raw...)
	m.pending = append(m.pending, own)
	return nil
}

func wrongAt(b *Block, reason string) error { return &FormatError{b.Offset, reason} }
