package direct_test

import (
	"encoding/binary"
	"os"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/direct"
)

// The statistics in the file grow, and end with the totals.
func TestStatisticsGrow(t *testing.T) {
	const n = 4000
	w := newWire(t)
	f, out := newFile(t)
	// Two blocks are soon full, so that the kernel drops.
	c := direct.Config{Rings: w.open(t, afpacket.Config{Snaplen: 2000, RetireTimeout: time.Millisecond,
		Ring: afpacket.Geometry{BlockSize: 32 << 10, Blocks: 2}}, 1), File: out}
	result, err := run(t, c, func() { w.send(t, burst(n, 1400), 0) })
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	var received, dropped uint64
	blocks := 0
	for ; len(b) > 0; b = b[le.Uint32(b[4:]):] {
		if le.Uint32(b) != 5 {
			continue
		}
		blocks++
		for o := b[20:]; ; o = o[4+(le.Uint16(o[2:])+3)&^3:] {
			v := uint64(0)
			if le.Uint16(o[2:]) == 8 {
				v = le.Uint64(o[4:])
			}
			switch le.Uint16(o) {
			case 4:
				if v < received {
					t.Fatalf("received falls from %d to %d", received, v)
				}
				received = v
			case 5:
				if v < dropped {
					t.Fatalf("dropped falls from %d to %d", dropped, v)
				}
				dropped = v
			}
			if le.Uint16(o) == 0 {
				break
			}
		}
	}
	s := result.Sources[0]
	if blocks < 3 || received != s.Received || dropped != s.Dropped || s.Received != n || s.Lost() != 0 {
		t.Errorf("%d statistics end with %d and %d dropped, the result is %+v", blocks, received, dropped, s)
	}
}
