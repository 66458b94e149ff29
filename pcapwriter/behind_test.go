package pcapwriter

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// newBehind makes a file and a writer that writes behind, on a disk or not.
func newBehind(t testing.TB, batch, behind int, fault func()) (*os.File, *Writer) {
	t.Helper()
	f, w := newWriter(t, Config{BatchSize: batch})
	w.behind = startBehind(w.out, behind, fault)
	return f, w
}

// TestBehind: the file is the same as that of a writer that does all by itself.
func TestBehind(t *testing.T) {
	for _, behind := range []int{1, 2, 4} {
		for _, batch := range []int{1, 5000, 100_000} {
			t.Run(fmt.Sprintf("%d of %d", behind, batch), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				f, w := newBehind(t, batch, behind, nil)
				g, plain := newWriter(t, Config{BatchSize: batch})
				for i := range uint64(3000) {
					p := Packet{Interface: uint32(i & 1), Data: udpFrame(r.IntN(1400))}
					if err := errors.Join(w.WritePacket(&p), plain.WritePacket(&p)); err != nil {
						t.Fatal(err)
					}
					if r.IntN(100) == 0 {
						if err := w.Flush(); err != nil {
							t.Fatal(err)
						}
					}
					if r.IntN(500) == 0 {
						if err := w.Drain(); err != nil {
							t.Fatal(err)
						}
						if got := w.Stats(); got.Packets != i+1 || got.Bytes != w.Size() || size(t, f) != int64(got.Bytes) {
							t.Fatalf("after %d packets stats are %+v, the file has %d of %d bytes", i+1, got, size(t, f), w.Size())
						}
					}
				}
				if err := errors.Join(w.Close(), plain.Close()); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(f.Name())
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(g.Name())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%d bytes, want %d", len(got), len(want))
				}
				if got := w.Stats(); got != plain.Stats() || w.Delivered(0) != 1500 || w.Delivered(1) != 1500 {
					t.Errorf("stats are %+v, want %+v", got, plain.Stats())
				}
				if err := w.Flush(); !errors.Is(err, os.ErrClosed) {
					t.Errorf("Flush after Close: %v", err)
				}
			})
		}
	}
}

// TestBehindFault: a fault is told, and Flush returns it although there is
// nothing to write.
func TestBehindFault(t *testing.T) {
	told := make(chan struct{})
	f, w := newBehind(t, 2000, 4, func() { close(told) })
	for range 10 {
		if err := w.WritePacket(&Packet{Data: udpFrame(900)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Drain(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := w.WritePacket(&Packet{Interface: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	<-told
	var e *WriteError
	if err := w.Flush(); !errors.As(err, &e) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("error is %v", err)
	}
	if got := w.Stats(); got.Packets != 10 || got.Lost != 1 || w.Delivered(0) != 10 || w.Delivered(1) != 0 {
		t.Errorf("stats are %+v", got)
	}
	if err := w.Close(); err != e {
		t.Errorf("Close: %v, want %v", err, e)
	}
}

func TestBehindAllocs(t *testing.T) {
	_, w := newBehind(t, 8<<10, 4, nil)
	p := Packet{Data: udpFrame(1400), Direction: Inbound}
	write := func() {
		if err := w.WritePacket(&p); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		write() // makes the buffers
	}
	if n := testing.AllocsPerRun(10000, write); n != 0 {
		t.Errorf("%v allocations per packet, want 0", n)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
