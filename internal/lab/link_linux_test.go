package lab_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
)

// TestSendUDP sends bursts over a pair of namespaces and counts at the far
// end.
func TestSendUDP(t *testing.T) {
	for name, ends := range map[string][2]netip.Prefix{
		"IPv4": {netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("192.0.2.2/24")},
		"IPv6": {netip.MustParsePrefix("2001:db8::1/64"), netip.MustParsePrefix("2001:db8::2/64")},
	} {
		t.Run(name, func(t *testing.T) {
			const n, size = 200, 100
			a, b := labtest.Namespace(t), labtest.Namespace(t)
			labtest.Veth(t, a, "eth0", b, "eth1", ends[0], ends[1])
			fd := receiver(t, b, ends[1].Addr())
			to := netip.AddrPortFrom(ends[1].Addr(), 4000)
			if sent, err := lab.SendUDP(a, to, n, size); err != nil || sent != n {
				t.Fatalf("sent %d, %v; want %d", sent, err, n)
			}
			for want := range uint32(n) {
				buf := make([]byte, 2*size)
				got, _, err := unix.Recvfrom(fd, buf, 0)
				if err != nil {
					t.Fatalf("datagram %d: %v", want, err)
				}
				if i := binary.BigEndian.Uint32(buf); got != size || i != want {
					t.Fatalf("got %d bytes with number %d, want %d and %d", got, i, size, want)
				}
			}
		})
	}
}

// receiver opens a socket on port 4000 in a namespace.
func receiver(t *testing.T, ns *nsswitch.NS, at netip.Addr) (fd int) {
	t.Helper()
	err := ns.Do(func() (err error) {
		family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: 4000, Addr: at.As16()})
		if at.Is4() {
			family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: 4000, Addr: at.As4()}
		}
		if fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		t.Cleanup(func() { unix.Close(fd) })
		timeout := unix.Timeval{Sec: 2}
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
			return err
		}
		return unix.Bind(fd, sa)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestNamespaceExists(t *testing.T) {
	ns := labtest.Namespace(t)
	if _, err := lab.NewNamespace(ns.String()); err == nil {
		t.Error("made a namespace under a name that is taken")
	}
	// The failure must not have taken the name from its owner.
	again, err := nsswitch.OpenName(ns.String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.ID() != ns.ID() {
		t.Errorf("the name leads to %v, want %v", again.ID(), ns.ID())
	}
}

func TestErrorsName(t *testing.T) {
	ns := labtest.Namespace(t)
	err := lab.AddAddr(ns, "eth7", netip.MustParsePrefix("192.0.2.1/24"))
	if err == nil {
		t.Fatal("gave an address to an interface that is not there")
	}
	t.Log(err)
	if err := lab.RemoveNamespace("icap-lab-not-there"); err != nil {
		t.Error(err)
	}
}
