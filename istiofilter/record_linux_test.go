package istiofilter_test

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/lab"
	"icap/istiofilter"
)

// TestMain lets the test binary be a stand-in of a lab.
func TestMain(m *testing.M) {
	lab.RunRole()
	os.Exit(m.Run())
}

// A record is a captured packet.
type record struct {
	istiofilter.Packet
	frame   []byte
	headers flow.Headers
}

// opens reports whether the packet is the first one of a TCP connection.
func (r *record) opens() bool { return r.Proto == flow.ProtoTCP && r.SYN && !r.ACK }

// touches reports whether one end of the packet is the one given.
func (r *record) touches(end string) bool { return r.Src.String() == end || r.Dst.String() == end }

// A recorder is a sink that copies the packets.
type recorder struct {
	mu      sync.Mutex
	records []record
	last    time.Time
}

func (r *recorder) Packet(p *capture.Packet) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := record{frame: slices.Clone(p.Data)}
	n.headers.Decode(n.frame)
	n.Packet = decoded(n.frame, p.Source == 0, p.Outgoing())
	r.records = append(r.records, n)
	r.last = time.Now()
	return nil
}

func (r *recorder) Flush() error { return nil }

// settle waits until no packet has come for a while.
func (r *recorder) settle() {
	const quiet = 100 * time.Millisecond
	for begin := time.Now(); ; time.Sleep(quiet / 6) {
		r.mu.Lock()
		last := r.last
		r.mu.Unlock()
		if time.Since(begin) > quiet && time.Since(last) > quiet {
			return
		}
	}
}

// capturePod captures everything on lo and eth0 of the app's pod while traffic
// runs and until it has ceased.
func capturePod(t *testing.T, l *lab.Lab, traffic func()) []record {
	t.Helper()
	var rings []*afpacket.Ring
	err := l.App.NS.Do(func() error {
		for _, name := range []string{"lo", "eth0"} {
			r, err := afpacket.Open(afpacket.Config{
				Interface:     name,
				RetireTimeout: 10 * time.Millisecond,
			})
			if err != nil {
				return err
			}
			rings = append(rings, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sink := new(recorder)
	result, err := capture.Run(ctx, capture.Config{Rings: rings, Sink: sink, Started: func() {
		go func() {
			defer cancel()
			traffic()
			sink.settle()
		}()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if total := result.Total(); total.Dropped > 0 || total.Written != total.Received {
		t.Fatalf("capture is not complete: %+v", total)
	}
	for _, r := range rings {
		r.Close()
	}
	return sink.records
}
