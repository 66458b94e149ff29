package pcapwriter

import (
	"os"
	"syscall"
	"testing"
)

// blocks is how much room a file takes on its disk, in bytes.
func blocks(t *testing.T, f *os.File) int64 {
	t.Helper()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Blocks * 512
}

// TestReserve: room is taken ahead, without being seen in the size of the file,
// up to the limit; and given back.
func TestReserve(t *testing.T) {
	for _, test := range []struct {
		name           string
		reserve, limit int64
		most           int64 // room that may be taken
	}{
		{"step", 8 << 20, 0, 40 << 20},
		{"limit", 64 << 20, 32 << 20, 34 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, w := newWriter(t, Config{Reserve: test.reserve, Limit: test.limit})
			require(t, w.out.onDisk(), "a folder for temporary files that is on a disk")
			if w.out.allocate(0, 1) != nil {
				require(t, false, "a file system with fallocate")
			}
			p := Packet{Data: make([]byte, 60_000)}
			ahead := false
			for w.Size() < 30<<20 {
				if err := w.WritePacket(&p); err != nil {
					t.Fatal(err)
				}
				written := int64(w.Stats().Bytes)
				if got := size(t, f); got != written {
					t.Fatalf("the file has %d bytes, want %d", got, written)
				}
				ahead = ahead || blocks(t, f) > written+leastRoom/2
				if got := blocks(t, f); got > test.most {
					t.Fatalf("%d bytes of the disk are taken for %d", got, written)
				}
			}
			if !ahead {
				t.Error("no room was taken ahead")
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
			if got, want := blocks(t, f), size(t, f); got > want+64<<10 || want != int64(w.Stats().Bytes) {
				t.Errorf("%d bytes of the disk are taken for a file of %d bytes, stats are %+v", got, want, w.Stats())
			}
		})
	}
}
