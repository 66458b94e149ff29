package capture_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/capture"
)

// TestRecord: every few seconds a file tells what became of the packets so far,
// and tells it right wherever it is torn behind that; and only the last ones tell
// that the capture has ended.
func TestRecord(t *testing.T) {
	k := newTrack(t, capture.Rotation{Size: 40_000}, 0)
	for i := range 130 {
		dropped := uint64(i % 3)
		if err := k.put(i%2, time.Duration(i)*200*time.Millisecond, 1000, dropped); err != nil {
			t.Fatal(err)
		}
		k.live[i%2].Told += dropped
		k.live[i%2].Excluded++
	}
	k.close(26*time.Second, 0)
	files, err := filepath.Glob(k.dir + "/*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	records := 0
	for _, name := range files {
		records += checkRecords(t, name) - 2 // those of the end
	}
	// A file of 40 packets, 8 seconds, has one, at 5 seconds.
	if want := 2 * (len(files) - 1); records < want {
		t.Errorf("%d records in %d files, want %d or more", records, len(files), want)
	}
}

// checkRecords holds all statistics of a file against the packets ahead of
// them, and returns how many there are.
func checkRecords(t *testing.T, name string) (n int) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var packets, gaps [2]uint64
	var ended [2]bool
	for {
		b, err := r.Next()
		if err == io.EOF {
			if ended != [2]bool{true, true} {
				t.Errorf("%s: the last statistics: %v", filepath.Base(name), ended)
			}
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Packet != nil {
			packets[b.Packet.Interface.Index]++
			gaps[b.Packet.Interface.Index] += b.Packet.Gap(b.Order)
			if ended != [2]bool{} {
				t.Errorf("%s: packets behind the last statistics", filepath.Base(name))
			}
		}
		s, ok := b.Statistics()
		if !ok {
			continue
		}
		n++
		i := s.Interface
		ended[i] = s.Ended
		if s.Delivered.N != packets[i] || s.Dropped.N != gaps[i] || s.Received.N != 2*packets[i]+gaps[i] || s.Accepted.N != s.Received.N-packets[i] {
			t.Errorf("%s: %d packets and %d lost on interface %d: %+v", filepath.Base(name), packets[i], gaps[i], i, s)
		}
	}
}
