package load

import (
	"context"
	"io"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// pair makes two namespaces joined by a veth pair, a0 and b0.
func pair(t *testing.T) (a, b *nsswitch.NS) {
	t.Helper()
	a = labtest.Namespace(t)
	b = labtest.Namespace(t)
	labtest.Veth(t, a, "a0", b, "b0")
	return a, b
}

// A taken packet is what the ring had of a frame.
type taken struct {
	data []byte
	time time.Duration
}

// capture returns what of the load comes in on b0 while f runs.
func capture(t *testing.T, ns *nsswitch.NS, f func()) []taken {
	t.Helper()
	var ring *afpacket.Ring
	err := ns.Do(func() (err error) {
		ring, err = afpacket.Open(afpacket.Config{
			Interface: "b0",
			Ring:      afpacket.Geometry{BlockSize: 1 << 20, Blocks: 32},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	if err := ring.Start(); err != nil {
		t.Fatal(err)
	}
	f()
	if err := ring.Stop(); err != nil {
		t.Fatal(err)
	}
	var all []taken
	var p afpacket.Packet
	for {
		block, ok := ring.Take()
		if !ok {
			if err := ring.Wait(); err == io.EOF {
				return all
			} else if err != nil {
				t.Fatal(err)
			}
			continue
		}
		for at := block.First(); at != 0; at = block.Next(at) {
			block.Read(at, &p)
			if IsLoad(p.Data) {
				all = append(all, taken{append([]byte(nil), p.Data...), time.Duration(p.Time)})
			}
		}
		block.Release()
	}
}

// Every frame of a load arrives once, in order, as it was sent, and not
// before it is due.
func TestSendersSendExactlyTheLoad(t *testing.T) {
	a, b := pair(t)
	live, err := OpenLive(b, "b0")
	if err != nil {
		labtest.Skip(t, err.Error())
	}
	veth, err := OpenVeth(a, "a0")
	if err != nil {
		t.Fatal(err)
	}
	defer veth.Close()
	loads := []Load{
		{Uniform(64), 0, 20_000},
		{Uniform(64), 200_000, 20_000},
		{Uniform(1500), 100_000, 5_000},
		{IMIX(), 0, 12_005},
		{IMIX(), 100_000, 12_005},
		{Uniform(256), 1000, 1},
	}
	for _, s := range []struct {
		name   string
		sender Sender
	}{{"live", live}, {"veth", veth}} {
		for i, l := range loads {
			t.Run(s.name+" "+l.String(), func(t *testing.T) {
				run := uint32(100 + i)
				got := capture(t, b, func() {
					sent, took, err := s.sender.Send(t.Context(), l, run)
					if sent != l.Count || took <= 0 || err != nil {
						t.Errorf("sent %d of %d in %s: %v", sent, l.Count, took, err)
					}
				})
				if len(got) != l.Count {
					t.Fatalf("%d frames arrived, want %d", len(got), l.Count)
				}
				frames := NewFrames(l.Sizes, run)
				for n, f := range got {
					if number, ok := frames.Number(f.data); number != uint32(n) || !ok {
						t.Fatalf("frame %d has number %d, as sent: %t", n, number, ok)
					}
				}
				// A burst goes out together, when its first frame is due.
				last := l.Count - maxBurst
				if last > 0 {
					least := due(uint64(last), gap(l.Rate)) * 99 / 100
					if took := got[l.Count-1].time - got[0].time; took < least {
						t.Errorf("arrived within %s, due after %s", took, least)
					}
				}
			})
		}
	}
}

func TestLiveEndsWithItsContext(t *testing.T) {
	_, b := pair(t)
	live, err := OpenLive(b, "b0")
	if err != nil {
		labtest.Skip(t, err.Error())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	l := Load{Uniform(64), 100, 1000}
	sent, _, err := live.Send(ctx, l, 1)
	if sent >= l.Count {
		t.Errorf("sent all %d frames: %v", sent, err)
	}
}

func TestOpenLiveWithoutInterface(t *testing.T) {
	_, b := pair(t)
	if _, err := OpenLive(b, "none"); err == nil {
		t.Error("no error for an interface that is not there")
	}
}
