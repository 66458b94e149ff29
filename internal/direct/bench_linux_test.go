package direct

import (
	"fmt"
	"testing"

	"icap/afpacket"
)

// BenchmarkEncode makes a full block into a chunk, which its memory is prepared
// for anew each time, off the clock.
func BenchmarkEncode(b *testing.B) {
	for _, size := range []int{60, 256, 1500} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			all := frames((4<<20-2*pageSize)/((usualMAC+size+7)&^7), size)
			fresh := build(4<<20, all...)
			mem := alignedBlock(4 << 20)
			var e Encoder
			n := 0
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				copy(mem, fresh)
				b.StartTimer()
				block := afpacket.BlockOf(mem)
				c, err := e.Encode(&block, len(all))
				if err != nil {
					b.Fatal(err)
				}
				n += c.Packets
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/pkt")
		})
	}
}
