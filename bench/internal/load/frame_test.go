package load

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func TestFrameIsValidUDP(t *testing.T) {
	for _, size := range []int{64, 256, 1500} {
		f := newFrame(size, 3)
		if len(f) != size {
			t.Fatalf("frame has %d bytes, want %d", len(f), size)
		}
		p := gopacket.NewPacket(f, layers.LayerTypeEthernet, gopacket.Default)
		if e := p.ErrorLayer(); e != nil {
			t.Fatal(e.Error())
		}
		udp, ok := p.TransportLayer().(*layers.UDP)
		if !ok {
			t.Fatalf("no UDP in %v", p)
		}
		if got, want := len(udp.Payload), size-runOffset; got != want {
			t.Errorf("payload has %d bytes, want %d", got, want)
		}
		if got := checksum(f[ethernetLen : ethernetLen+ipv4Len]); got != 0 {
			t.Errorf("checksum over the header is %#x, want 0", got)
		}
	}
}

func TestSameRun(t *testing.T) {
	frame := newFrame(64, 7)
	other := newFrame(64, 7)
	setSequence(other, 12345)
	if !sameRun(frame, other) || sequence(other) != 12345 {
		t.Error("a frame of the same run is not told as such")
	}
	for i := range other {
		inSequence := i >= sequenceOffset && i < patternOffset
		other[i] ^= 1
		if got := sameRun(frame, other); got != inSequence {
			t.Errorf("byte %d changed: same run is %t", i, got)
		}
		other[i] ^= 1
	}
	if sameRun(frame, other[:63]) || sameRun(frame, newFrame(64, 8)) {
		t.Error("a shorter frame, or one of another run, passes")
	}
}

func TestNumberOfMixedFrames(t *testing.T) {
	f := NewFrames(IMIX(), 9)
	for n, size := range IMIX() {
		for _, n := range []uint32{uint32(n), uint32(n + 12_000)} {
			frame := f.Frame(n)
			if got, ok := f.Number(frame); len(frame) != size || got != n || !ok {
				t.Errorf("frame %d has %d bytes, number %d, %t", n, len(frame), got, ok)
			}
			// A frame that another number's size belongs to is not it.
			if size != 64 {
				setSequence(frame, 0)
				if _, ok := f.Number(frame); ok {
					t.Errorf("frame %d passes for frame 0", n)
				}
			}
		}
	}
	if _, ok := f.Number(f.Frame(0)[:patternOffset-1]); ok {
		t.Error("a frame without a whole number passes")
	}
}
