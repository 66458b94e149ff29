package baseline

import (
	"encoding/binary"
	"os"
	"slices"

	"icap/afpacket"
	"icap/pcapwriter"
)

// A batch is the least that writes a valid pcapng file: packets without
// options, collected for one write.
type batch struct {
	file *os.File
	data []byte
}

const batchSize = 1 << 20

func newBatch(path, ifname string) (*batch, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	b := &batch{file: f, data: make([]byte, 0, batchSize+afpacket.MaxSnaplen+64)}
	b.data = pcapwriter.AppendSection(b.data, &pcapwriter.Section{})
	b.data = pcapwriter.AppendInterface(b.data, &pcapwriter.Interface{
		Name: ifname, LinkType: 1, Snaplen: afpacket.MaxSnaplen,
	})
	return b, nil
}

// add appends an Enhanced Packet Block.
func (b *batch) add(p *afpacket.Packet) error {
	const (
		blockType = 6
		headLen   = 28
		tailLen   = 4
	)
	n := len(p.Data)
	aligned := (n + 3) &^ 3
	total := headLen + aligned + tailLen
	start := len(b.data)
	b.data = slices.Grow(b.data, total)[:start+total]

	e := b.data[start:]
	h := e[:headLen]
	binary.LittleEndian.PutUint32(h[0:], blockType)
	binary.LittleEndian.PutUint32(h[4:], uint32(total))
	binary.LittleEndian.PutUint32(h[8:], 0)
	binary.LittleEndian.PutUint32(h[12:], uint32(p.Time>>32))
	binary.LittleEndian.PutUint32(h[16:], uint32(p.Time))
	binary.LittleEndian.PutUint32(h[20:], uint32(n))
	binary.LittleEndian.PutUint32(h[24:], uint32(p.Len))
	copy(e[headLen:], p.Data)
	clear(e[headLen+n : headLen+aligned])
	binary.LittleEndian.PutUint32(e[headLen+aligned:], uint32(total))

	if len(b.data) >= batchSize {
		return b.flush()
	}
	return nil
}

func (b *batch) flush() error {
	_, err := b.file.Write(b.data)
	b.data = b.data[:0]
	return err
}
