package measure

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"icap/bench/internal/check"
	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

// fileOf writes frames of a run by their numbers.
func fileOf(t *testing.T, frames *load.Frames, numbers ...uint32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		data := frames.Frame(n)
		info := gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(data), Length: len(data)}
		if err := w.WritePacket(info, data); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestJudge(t *testing.T) {
	frames := load.NewFrames(load.IMIX(), 4)
	tests := []struct {
		name    string
		numbers []uint32
		said    peer.Counts
		lost    uint64
		fault   bool
	}{
		{"complete", []uint32{0, 1, 2, 3}, peer.Counts{Captured: 4}, 0, false},
		{"dropped", []uint32{0, 3}, peer.Counts{Captured: 2, Dropped: 2}, 2, false},
		{"missing", []uint32{0, 3}, peer.Counts{Captured: 2}, 2, true},
		{"missing, and nobody knows", []uint32{0, 3}, peer.Counts{Captured: 2, Blind: true}, 2, false},
		{"dropped, but there", []uint32{0, 1, 2, 3}, peer.Counts{Captured: 4, Dropped: 1}, 0, true},
		{"doubled", []uint32{0, 1, 1, 2, 3}, peer.Counts{Captured: 5}, 0, true},
	}
	for _, tt := range tests {
		p := &peer.Peer{Format: check.Pcap, Count: func(string) (peer.Counts, error) { return tt.said, nil }}
		r := Result{Sent: 4}
		err := r.judge(p, "", fileOf(t, frames, tt.numbers...), frames)
		if (err != nil) != tt.fault || r.Lost != tt.lost || r.FileSize == 0 {
			t.Errorf("%s: got %+v, %v", tt.name, r, err)
		}
	}
}
