package baseline

import (
	"path/filepath"
	"testing"

	"icap/afpacket"
	"icap/bench/internal/check"
	"icap/bench/internal/load"
)

func TestBatchWritesPcapng(t *testing.T) {
	for _, size := range []int{64, 65, 66, 67, 1500} {
		path := filepath.Join(t.TempDir(), "f")
		b, err := newBatch(path, "cap0")
		if err != nil {
			t.Fatal(err)
		}
		frames := load.NewFrames(load.Uniform(size), 1)
		for i, f := range [][]byte{frames.Frame(0), frames.Frame(1), frames.Frame(2)} {
			if err := b.add(&afpacket.Packet{Time: int64(i), Data: f, Len: size}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.flush(); err != nil {
			t.Fatal(err)
		}
		if err := b.file.Close(); err != nil {
			t.Fatal(err)
		}
		v, err := check.File(path, check.Pcapng, frames, 3)
		if err != nil {
			t.Fatal(err)
		}
		if v.Packets != 3 || v.Fault() != nil || v.Bytes == 0 {
			t.Errorf("%d B: got %+v", size, v)
		}
	}
}
