package lab_test

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestConntrack finds the truth of an exchange in the kernel's table: whom
// the application called, and who answered in its place.
func TestConntrack(t *testing.T) {
	for _, how := range []lab.Apply{lab.IPTables, lab.NFTables} {
		t.Run(how.String(), func(t *testing.T) {
			needApply(t, how)
			l := labtest.New(t, lab.Config{Apply: how})
			out, err := l.OutboundMesh(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			in, err := l.Inbound(t.Context(), false, path)
			if err != nil {
				t.Fatal(err)
			}
			translated := map[[2]netip.AddrPort]netip.AddrPort{}
			for _, f := range flows(t, l.App) {
				translated[[2]netip.AddrPort{
					addrPort(f.Forward.SrcIP, f.Forward.SrcPort),
					addrPort(f.Forward.DstIP, f.Forward.DstPort),
				}] = addrPort(f.Reverse.SrcIP, f.Reverse.SrcPort)
			}
			for _, c := range []struct {
				from, to netip.AddrPort
				want     string
			}{
				{out.Local, out.Remote, "127.0.0.1:15001"},
				{in.Local, in.Remote, "10.244.0.11:15006"},
				{in.Peer, in.Remote, in.Remote.String()},
			} {
				got := translated[[2]netip.AddrPort{c.from, c.to}]
				if got.String() != c.want {
					t.Errorf("%v to %v was answered by %v, want %s", c.from, c.to, got, c.want)
				}
			}
		})
	}
}

// flows is the connection table of a pod.
func flows(t *testing.T, p *lab.Pod) (list []*netlink.ConntrackFlow) {
	t.Helper()
	err := p.NS.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer h.Close()
		list, err = h.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func addrPort(ip []byte, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}
