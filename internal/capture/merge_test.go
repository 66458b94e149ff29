package capture

import (
	"fmt"
	"os"
	"testing"
	"time"

	"icap/afpacket"
	"icap/pcapwriter"
)

// BenchmarkMerge is BenchmarkWalk for rings that share packets in turn, so that
// each packet comes from another ring than the one before: the most that
// merging can cost.
func BenchmarkMerge(b *testing.B) {
	for _, rings := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("%dRings", rings), func(b *testing.B) {
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
			m := newMerge(&Config{Sink: sink, Rings: make([]*afpacket.Ring, rings), Of: make([]int, rings)})
			for k := range m.ended {
				m.ended[k] = true // so that nobody asks for more
			}
			blocks := make([][]afpacket.Block, 64/rings)
			total := 0
			for i := range blocks {
				for k := range rings {
					block, packets := shareOf(64, k, rings)
					blocks[i] = append(blocks[i], block)
					total = packets * rings
				}
			}
			for i := 0; b.Loop(); i++ {
				m.last = 0 // the blocks have the same times
				for k, block := range blocks[i%len(blocks)] {
					r := m.newRun(k, block, m.result.Start)
					r.moved = []byte{}
					m.runs = append(m.runs, r)
				}
				if _, err := m.write(time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*total), "ns/pkt")
		})
	}
}
