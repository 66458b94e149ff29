package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"icap/afpacket"
	"icap/pcapwriter"
)

// randomBlock is a block of packets of all lengths, as the kernel lays it out.
// Some have a VLAN tag, and some stand behind younger ones.
func randomBlock(rnd *rand.Rand, begin int64) afpacket.Block {
	const header, data, size, tagged = 48, 82, 1 << 20, 1<<4 | 1<<6
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i % 251)
	}
	clear(b[:header])
	ne := binary.NativeEndian
	ne.PutUint32(b[16:], header)
	packets, at, last := 0, header, 0
	for n := rnd.IntN(400); packets < n; packets++ {
		length := rnd.IntN(200)
		if rnd.IntN(20) == 0 {
			length = rnd.IntN(70_000)
		}
		step := (data + length + 7) &^ 7
		if at+step > size {
			break
		}
		if packets > 0 {
			ne.PutUint32(b[last:], uint32(at-last))
		}
		p := b[at:]
		clear(p[:data])
		age := 0
		if rnd.IntN(150) == 0 {
			age = 2500 // no more than two places
		}
		ne.PutUint32(p[4:], 1_700_000_000)
		ne.PutUint32(p[8:], uint32(int(begin)+1000*packets-age))
		ne.PutUint32(p[12:], uint32(length))
		ne.PutUint32(p[16:], uint32(length+rnd.IntN(2)*rnd.IntN(9000)))
		ne.PutUint16(p[24:], data)
		if rnd.IntN(50) == 0 {
			ne.PutUint32(p[20:], tagged)
			ne.PutUint32(p[32:], rnd.Uint32()&0xffff)
			ne.PutUint16(p[36:], 0x88a8)
		}
		last, at = at, at+step
	}
	ne.PutUint32(b[12:], uint32(packets))
	ne.PutUint32(b[20:], uint32(at))
	return afpacket.BlockOf(b)
}

// TestBulk: packets that are not looked at one by one make the same file, and
// the same accounts, as those that are.
func TestBulk(t *testing.T) {
	for seed := range uint64(60) {
		snaplen := []uint32{0, 60_000, afpacket.MaxSnaplen}[seed%3]
		inBulk, one := writeRandom(t, seed, snaplen, true), writeRandom(t, seed, snaplen, false)
		if !bytes.Equal(inBulk.file, one.file) {
			t.Errorf("seed %d: files of %d and %d bytes differ", seed, len(inBulk.file), len(one.file))
		}
		if inBulk.accounts != one.accounts {
			t.Errorf("seed %d: in bulk %s, one by one %s", seed, inBulk.accounts, one.accounts)
		}
	}
}

type outcome struct {
	file     []byte
	accounts string
}

// writeRandom writes random blocks, with drops between them.
func writeRandom(t *testing.T, seed uint64, snaplen uint32, bulk bool) outcome {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	sink, err := NewFiles(&FilesConfig{
		Header:  &pcapwriter.Header{Interfaces: []pcapwriter.Interface{{LinkType: 1, Snaplen: snaplen}}},
		Sources: []int{0},
		NoFlags: true,
		Open:    func(Place) (*os.File, error) { return os.Create(path) },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := newMerge(&Config{Sink: sink, Rings: []*afpacket.Ring{nil}})
	if m.bulk == nil {
		t.Fatal("nothing is written in bulk")
	}
	if !bulk {
		m.bulk = nil
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range int64(10) {
		m.untold[0] = rnd.Uint64N(2) * rnd.Uint64N(100)
		r := m.newRun(0, randomBlock(rnd, 300_000*i), m.result.Start)
		r.moved = []byte{} // so that nothing is given back to a ring
		if r.written() {
			continue
		}
		m.runs = append(m.runs, r)
		for !r.written() {
			limit := int64(never) // or as far as packets of another ring go
			if rnd.IntN(4) > 0 {
				limit = r.head() + rnd.Int64N(100_000)
			}
			if err := m.writeRun(r, limit); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := sink.Flush(); err != nil {
		t.Fatal(err)
	}
	o := outcome{accounts: fmt.Sprintf("%+v, late %d, last %d, written %d, in the file %d",
		m.result.Sources, m.result.Late, m.last, m.written, sink.Written(0))}
	if o.file, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return o
}
