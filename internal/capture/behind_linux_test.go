package capture_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
)

// A lazySink fails between its calls.
type lazySink struct {
	recorder
	failed chan struct{}
	err    error
}

func (s *lazySink) Failed() <-chan struct{} { return s.failed }

func (s *lazySink) Flush() error {
	select {
	case <-s.failed:
		return s.err
	default:
		return nil
	}
}

// TestSinkFailsBetweenPackets ends the capture although no packet comes.
func TestSinkFailsBetweenPackets(t *testing.T) {
	p := newPair(t)
	for _, names := range [][]string{{"bx"}, {"bx", "by"}} {
		sink := &lazySink{failed: make(chan struct{}), err: errors.New("stale disk")}
		result, err := capture.Run(t.Context(), capture.Config{
			Rings: p.open(t, afpacket.Config{RetireTimeout: 10 * time.Millisecond}, names...),
			Sink:  sink,
			Started: func() {
				p.send(t, 0, 10, 100)
				close(sink.failed)
			},
		})
		if err != sink.err || result.Total().Received != 10 {
			t.Errorf("%d rings: %+v, %v", len(names), result.Total(), err)
		}
	}
}

// TestFilesFailBehind: what could not be written is told at once.
func TestFilesFailBehind(t *testing.T) {
	k := newTrack(t, capture.Rotation{}, 0)
	name := k.dir + "/120017.000"
	if fi, err := os.Stat(name); err != nil || fi.Size() == 0 {
		t.Fatal(err)
	}
	if err := k.put(0, 0, 100, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := k.files.Flush(); err == nil {
		// It is a disk, and the file is written behind.
		<-k.files.Failed()
		if err := k.files.Flush(); err == nil {
			t.Error("the fault was not returned")
		}
	}
	if got := k.files.Written(0); got != 0 {
		t.Errorf("%d packets are written", got)
	}
}
