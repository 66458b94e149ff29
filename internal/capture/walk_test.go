package capture

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"icap/afpacket"
	"icap/pcapwriter"
)

// shareOf is a full block of 1 MiB of frames of a size, as the kernel lays it
// out: what the i-th of n rings has that share packets in turn.
func shareOf(frame, i, n int) (afpacket.Block, int) {
	const header, data, size = 48, 82, 1 << 20
	b := make([]byte, size)
	step := (data + frame + 7) &^ 7
	packets := (size - header) / step
	ne := binary.NativeEndian
	ne.PutUint32(b[12:], uint32(packets))
	ne.PutUint32(b[16:], header)
	ne.PutUint32(b[20:], uint32(header+packets*step))
	for k := range packets {
		p := b[header+k*step:]
		if k < packets-1 {
			ne.PutUint32(p[0:], uint32(step))
		}
		ne.PutUint32(p[4:], 1_700_000_000)
		ne.PutUint32(p[8:], uint32(k*n+i))
		ne.PutUint32(p[12:], uint32(frame))
		ne.PutUint32(p[16:], uint32(frame))
		ne.PutUint16(p[24:], data)
	}
	return afpacket.BlockOf(b), packets
}

// fullRing is a ring of such blocks, larger than any cache: a block comes from
// another CPU, or from memory. It also tells how many packets a block has.
func fullRing(frame int) (blocks [64]afpacket.Block, packets int) {
	for i := range blocks {
		blocks[i], packets = shareOf(frame, 0, 1)
	}
	return blocks, packets
}

// BenchmarkWalk is the way of a full block into a file, without the kernel:
// reading, merging, encoding, and writing to /dev/null.
func BenchmarkWalk(b *testing.B) {
	for _, frame := range []int{64, 256, 1500} {
		b.Run(fmt.Sprintf("%dB", frame), func(b *testing.B) {
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			sink, err := NewFiles(&FilesConfig{
				Header:  &pcapwriter.Header{Interfaces: []pcapwriter.Interface{{LinkType: 1, Snaplen: afpacket.MaxSnaplen}}},
				Sources: []int{0},
				NoFlags: true,
				Open:    func(Place) (*os.File, error) { return null, nil },
			})
			if err != nil {
				b.Fatal(err)
			}
			m := newMerge(&Config{Sink: sink, Rings: []*afpacket.Ring{nil}})
			blocks, packets := fullRing(frame)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := m.newRun(0, blocks[i%len(blocks)], m.result.Start)
				r.moved = []byte{}
				m.runs = append(m.runs, r)
				m.last = 0 // the blocks have the same times
				if err := m.writeRun(r, never); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/pkt")
		})
	}
}

// BenchmarkBare is the least that does the same work: no order, no hook, no
// options, no accounts.
func BenchmarkBare(b *testing.B) {
	for _, frame := range []int{64, 256, 1500} {
		b.Run(fmt.Sprintf("%dB", frame), func(b *testing.B) {
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			blocks, packets := fullRing(frame)
			batch := make([]byte, 0, 1<<20+263168)
			var p afpacket.Packet
			for i := 0; b.Loop(); i++ {
				block := blocks[i%len(blocks)]
				for at := block.First(); at != 0; at = block.Next(at) {
					block.Read(at, &p)
					batch = appendBare(batch, &p)
					if len(batch) >= 1<<20 {
						if _, err := null.Write(batch); err != nil {
							b.Fatal(err)
						}
						batch = batch[:0]
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/pkt")
		})
	}
}

func appendBare(b []byte, p *afpacket.Packet) []byte {
	n := len(p.Data)
	aligned := (n + 3) &^ 3
	total := 32 + aligned
	start := len(b)
	b = b[:start+total]
	e := b[start:]
	h := e[:28]
	le := binary.LittleEndian
	le.PutUint32(h[0:], 6)
	le.PutUint32(h[4:], uint32(total))
	le.PutUint32(h[8:], 0)
	le.PutUint32(h[12:], uint32(p.Time>>32))
	le.PutUint32(h[16:], uint32(p.Time))
	le.PutUint32(h[20:], uint32(n))
	le.PutUint32(h[24:], uint32(p.Len))
	copy(e[28:], p.Data)
	clear(e[28+n : 28+aligned])
	le.PutUint32(e[28+aligned:], uint32(total))
	return b
}
