package afpacket_test

import (
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// TestMarks has datagrams with different marks on lo, and a ring for each part
// of them.
func TestMarks(t *testing.T) {
	ns := labtest.Namespace(t)
	exact := func(v uint32) afpacket.Mark { return afpacket.Mark{Value: v, Mask: 0xffffffff} }
	ambient := []afpacket.Mark{{Value: 0x539, Mask: 0xfff}, {Value: 0x111, Mask: 0xfff}}
	sent := map[uint32]int{0: 1, 0x111: 2, 0x539: 4, 0x53a: 8, 0xf0539: 16, 7: 32}
	for name, c := range map[string]struct {
		marks, not []afpacket.Mark
		want       int
	}{
		"any":      {nil, nil, 63},
		"one":      {[]afpacket.Mark{exact(0x539)}, nil, 4},
		"masked":   {ambient, nil, 2 + 4 + 16},
		"none of":  {nil, append([]afpacket.Mark{exact(0x53a)}, ambient...), 1 + 32},
		"one, not": {append([]afpacket.Mark{exact(7)}, ambient...), []afpacket.Mark{exact(0x539)}, 2 + 16 + 32},
	} {
		t.Run(name, func(t *testing.T) {
			r := openIn(t, ns, afpacket.Config{Interface: "lo", Filter: onlyUDP, Marks: c.marks, NotMarks: c.not})
			start(t, r)
			for mark, n := range sent {
				sendMarked(t, ns, mark, n)
			}
			if err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			count, end := drain(t, r)
			if got := sum(count); got != c.want || end != io.EOF {
				t.Errorf("%d packets, %v; want %d", got, end, c.want)
			}
		})
	}
}

// sendMarked sends n datagrams to the namespace's own lo.
func sendMarked(t *testing.T, ns *nsswitch.NS, mark uint32, n int) {
	t.Helper()
	err := ns.Do(func() error {
		l, err := net.ListenPacket("udp4", "127.0.0.1:9")
		if err != nil {
			return err
		}
		defer l.Close()
		d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
			cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) })
			if cerr != nil {
				return cerr
			}
			return err
		}}
		c, err := d.Dial("udp4", "127.0.0.1:9")
		if err != nil {
			return err
		}
		defer c.Close()
		for range n {
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
