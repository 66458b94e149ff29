package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/afpacket"
)

// blockOf lays out a block with packets of these times, without data.
func blockOf(times []int64) afpacket.Block {
	const header, step = blockDesc, 80
	e := binary.NativeEndian
	b := make([]byte, header+step*len(times))
	e.PutUint32(b[8:], unix.TP_STATUS_USER)
	e.PutUint32(b[12:], uint32(len(times)))
	e.PutUint32(b[16:], header)
	for i, t := range times {
		h := b[header+i*step:]
		if i < len(times)-1 {
			e.PutUint32(h, step)
		}
		e.PutUint32(h[4:], uint32(t/1e9))
		e.PutUint32(h[8:], uint32(t%1e9))
		e.PutUint32(b[40:], uint32(t/1e9))
		e.PutUint32(b[44:], uint32(t%1e9))
	}
	return afpacket.BlockOf(b)
}

// blockDesc is the size of struct tpacket_block_desc.
const blockDesc = 48

// Packets that stand up to lookahead places before their own come out in
// order, whatever the size of the block, and none is lost.
func TestRunPutsPacketsInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i, n := range []int{1, 2, lookahead, window - 1, window, window + 1, 1000, 1000} {
		sorted := i%2 == 1 // by far most blocks
		times := make([]int64, n)
		for i := range times {
			times[i] = int64(i) * 10
		}
		for i := 0; i+1 < n && !sorted; i++ {
			if j := i + 1 + r.IntN(lookahead-1); j < n && r.IntN(3) == 0 {
				moved := times[j]
				copy(times[i+1:j+1], times[i:j])
				times[i] = moved
				i = j
			}
		}
		m := newMerge(&Config{Rings: make([]*afpacket.Ring, 1)})
		run := m.newRun(0, blockOf(times), time.Now())
		var got []int64
		for ; !run.written(); run.next() {
			got = append(got, run.head())
		}
		want := slices.Sorted(slices.Values(times))
		if !slices.Equal(got, want) {
			t.Errorf("%d packets: %d came out, in order: %v", n, len(got), slices.IsSorted(got))
		}

		// The same without a limit, as a single ring is written.
		var written timesOf
		m = newMerge(&Config{Rings: make([]*afpacket.Ring, 1), Sink: &written})
		run = m.newRun(0, blockOf(times), time.Now())
		run.moved = []byte{} // not in a ring
		m.runs = append(m.runs, run)
		if err := m.writeRun(run, never); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(written, want) || len(m.runs) != 0 || m.result.Late != 0 {
			t.Errorf("%d packets: %d written, %d of them late", n, len(written), m.result.Late)
		}
	}
}

// timesOf is a sink that keeps the times.
type timesOf []int64

func (s *timesOf) Packet(p *Packet) error { *s = append(*s, p.Time); return nil }
func (s *timesOf) Flush() error           { return nil }

func TestRunOfNoPackets(t *testing.T) {
	m := newMerge(&Config{Rings: make([]*afpacket.Ring, 1)})
	if run := m.newRun(0, blockOf(nil), time.Now()); !run.written() {
		t.Error("an empty block has a packet")
	}
}
