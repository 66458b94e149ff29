package kernel

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestLinks(t *testing.T) {
	enterNetns(t)
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for _, l := range []netlink.Link{
		&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "eth0", HardwareAddr: mac, MTU: 1450, Index: 7},
			PeerName:  "peer0",
		},
		&netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "tun0"}, Mode: netlink.TUNTAP_MODE_TUN},
	} {
		if err := netlink.LinkAdd(l); err != nil {
			t.Fatalf("%s: %v", l.Attrs().Name, err)
		}
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"10.0.0.7/24", "fd00::7/64"} {
		a, err := netlink.ParseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.AddrAdd(eth0, a); err != nil {
			t.Fatal(err)
		}
	}
	a, err := netlink.ParseAddr("192.0.2.1/32")
	if err != nil {
		t.Fatal(err)
	}
	a.Peer = &net.IPNet{IP: net.IPv4(192, 0, 2, 2), Mask: net.CIDRMask(31, 32)}
	if err := netlink.AddrAdd(eth0, a); err != nil {
		t.Fatal(err)
	}
	linkUp(t, "lo")

	got, err := Links()
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]Link)
	for i, l := range got {
		byName[l.Name] = l
		if i > 0 && got[i-1].Index >= l.Index {
			t.Errorf("index %d comes after %d", l.Index, got[i-1].Index)
		}
	}
	want := map[string]Link{
		"lo": {
			Name: "lo", Index: 1, Up: true, Loopback: true, Running: true, MTU: 65536, Type: unix.ARPHRD_LOOPBACK,
			HardwareAddr: make(net.HardwareAddr, 6),
			Addrs:        []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
		},
		"eth0": {
			Name: "eth0", Index: 7, MTU: 1450, Type: unix.ARPHRD_ETHER, HardwareAddr: mac,
			Addrs: []netip.Prefix{
				netip.MustParsePrefix("10.0.0.7/24"),
				netip.MustParsePrefix("192.0.2.1/31"),
				netip.MustParsePrefix("fd00::7/64"),
			},
		},
	}
	for name, want := range want {
		if d := cmp.Diff(want, byName[name], cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	tun := byName["tun0"]
	if tun.Type != unix.ARPHRD_NONE || tun.HardwareAddr != nil {
		t.Errorf("tun0 = %+v", tun)
	}
}

func TestEphemeralPorts(t *testing.T) {
	outer, _, err := EphemeralPorts()
	if err != nil {
		t.Fatal(err)
	}
	enterNetns(t)
	if err := os.WriteFile(portRange, []byte("20000 30001"), 0); err != nil {
		t.Fatal(err)
	}
	first, last, err := EphemeralPorts()
	if err != nil || first != 20000 || last != 30001 {
		t.Errorf("EphemeralPorts = %d, %d, %v, want 20000, 30001", first, last, err)
	}
	if outer == first {
		t.Errorf("the range of the outer namespace has changed, too: %d", outer)
	}
}

// TestNamespaceCookie: it stays, and no other namespace has it, though one may
// have the inode.
func TestNamespaceCookie(t *testing.T) {
	seen := make(map[uint64]bool)
	for range 20 {
		enterNetns(t) // and leave the one before, which is then gone
		cookie, again := NamespaceCookie(), NamespaceCookie()
		if cookie == 0 || cookie != again || seen[cookie] {
			t.Errorf("cookie %d, then %d, seen before: %v", cookie, again, seen[cookie])
		}
		seen[cookie] = true
	}
}
