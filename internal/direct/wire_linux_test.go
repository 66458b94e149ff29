package direct_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// A wire is two namespaces; frames go from a to b.
type wire struct{ a, b *nsswitch.NS }

func newWire(t testing.TB) wire {
	t.Helper()
	w := wire{labtest.Namespace(t), labtest.Namespace(t)}
	labtest.Veth(t, w.a, "va", w.b, "vb", netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("10.9.0.2/24"))
	for name, ns := range map[string]*nsswitch.NS{"va": w.a, "vb": w.b} {
		labtest.WithLink(t, ns, name, func(l netlink.Link) error { return netlink.LinkSetMTU(l, 65535) })
	}
	return w
}

// marked is the beginning of the destination of the frames of a test.
const marked = 0x02badc0d

// keep accepts the marked frames, n bytes of each.
func keep(t testing.TB, n int) []bpf.RawInstruction {
	t.Helper()
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: marked, SkipFalse: 1},
		bpf.RetConstant{Val: uint32(n)},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// open makes rings on vb, n of them in a group if n is not 1.
func (w wire) open(t testing.TB, c afpacket.Config, n int) (rings []*afpacket.Ring) {
	t.Helper()
	c.Interface, c.Direct, c.Direction = "vb", true, afpacket.In
	if c.Filter == nil {
		c.Filter = keep(t, afpacket.MaxSnaplen)
	}
	if c.Ring == (afpacket.Geometry{}) {
		c.Ring = afpacket.Geometry{BlockSize: 1 << 20, Blocks: 8}
	}
	if n > 1 {
		c.Group = &afpacket.Group{Spread: afpacket.ByTurn}
	}
	if err := w.b.Do(func() error {
		for range n {
			r, err := afpacket.Open(c)
			if err != nil {
				return err
			}
			rings = append(rings, r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, r := range rings {
			r.Close()
		}
	})
	return rings
}

// send sends frames from va, with a pause after each if it is not 0.
func (w wire) send(t testing.TB, frames [][]byte, pause time.Duration) {
	t.Helper()
	if err := w.a.Do(func() error {
		link, err := netlink.LinkByName("va")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		to := &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index}
		for _, f := range frames {
			if err := unix.Sendto(fd, f, 0, to); err != nil {
				return fmt.Errorf("frame of %d bytes: %w", len(f), err)
			}
			if pause > 0 {
				time.Sleep(pause)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// ethernet is a marked frame of n bytes, with a VLAN tag besides if so wished.
func ethernet(n int, tagged bool) []byte {
	f := binary.BigEndian.AppendUint32(nil, marked)
	f = append(f, 0, 1, 2, 0, 0, 0, 0, 1)
	if tagged {
		f = append(f, 0x81, 0, 0x60, 0x42)
		n += 4
	}
	f = append(f, 0x88, 0xb5)
	for i := len(f); i < n; i++ {
		f = append(f, byte(i*7+n+i>>8))
	}
	return f
}

// everyLength is a frame of each length that matters, with and without a tag,
// between a large and a small one.
func everyLength() (frames [][]byte) {
	for n := 14; n <= 1600; n++ {
		frames = append(frames, ethernet(n, false))
		if n >= 16 { // the kernel drops shorter ones with a tag
			frames = append(frames, ethernet(n, true))
		}
	}
	for n := 60 << 10; n < 60<<10+16; n++ {
		frames = append(frames, ethernet(n, n%2 == 0), ethernet(n, n%2 == 1))
	}
	return frames
}
