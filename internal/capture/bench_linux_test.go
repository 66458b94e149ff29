package capture_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// BenchmarkDrain is the way of packets from a full ring into a file, without
// the kernel's share: reading, merging, encoding, and writing to /dev/null.
func BenchmarkDrain(b *testing.B) {
	from, to := labtest.Namespace(b), labtest.Namespace(b)
	labtest.Veth(b, from, "va", to, "vb", netip.MustParsePrefix("10.8.0.1/24"), netip.MustParsePrefix("10.8.0.2/24"))
	for _, frame := range []int{64, 256, 1500} {
		b.Run(fmt.Sprintf("%dB", frame), func(b *testing.B) {
			var took time.Duration
			packets := 0
			for b.Loop() {
				n, d := drainRing(b, from, to, frame)
				packets += n
				took += d
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(packets), "ns/pkt")
		})
	}
}

// drainRing fills a ring and returns how long it took to write the packets of
// its full blocks, and how many these were.
func drainRing(b *testing.B, from, to *nsswitch.NS, frame int) (packets int, took time.Duration) {
	const blockSize, blocks, headers = 1 << 20, 16, 14 + 20 + 8
	total := (blocks - 1) * blockSize / (frame + 82 + 7)
	timed := total * 3 / 4
	var ring *afpacket.Ring
	if err := to.Do(func() (err error) {
		ring, err = afpacket.Open(afpacket.Config{Interface: "vb", Filter: udp, RetireTimeout: time.Second,
			Ring: afpacket.Geometry{BlockSize: blockSize, Blocks: blocks}})
		return err
	}); err != nil {
		b.Fatal(err)
	}
	defer ring.Close()
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	sink, err := capture.NewFile(f, header("vb"), []int{0})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var begin time.Time
	seen := 0
	result, err := capture.Run(ctx, capture.Config{
		Rings: []*afpacket.Ring{ring},
		Sink:  sink,
		Started: func() {
			if _, err := lab.SendUDP(from, netip.MustParseAddrPort("10.8.0.2:9"), total, frame-headers); err != nil {
				b.Error(err)
			}
			cancel()
			begin = time.Now()
		},
		Hook: func(*capture.Packet) bool {
			if seen++; seen == timed {
				took = time.Since(begin)
			}
			return true
		},
	})
	if err != nil || result.Total().Written != uint64(total) {
		b.Fatal(result.Total(), err)
	}
	return timed, took
}
