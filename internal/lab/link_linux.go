package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// within runs fn with a netlink handle that belongs to a namespace.
func within(ns *nsswitch.NS, fn func(h *netlink.Handle) error) error {
	return ns.Do(func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink in %s: %w", ns, err)
		}
		defer h.Close()
		return fn(h)
	})
}

func setUp(ns *nsswitch.NS, ifname string) error {
	return within(ns, func(h *netlink.Handle) error {
		link, err := h.LinkByName(ifname)
		if err == nil {
			err = h.LinkSetUp(link)
		}
		return linkError("set up", ns, ifname, err)
	})
}

func veth(a *nsswitch.NS, aName string, b *nsswitch.NS, bName string) error {
	peer, err := descriptor(b)
	if err != nil {
		return err
	}
	defer peer.Close()
	err = within(a, func(h *netlink.Handle) error {
		return linkError("make veth", a, aName, h.LinkAdd(&netlink.Veth{
			LinkAttrs:     netlink.LinkAttrs{Name: aName},
			PeerName:      bName,
			PeerNamespace: netlink.NsFd(int(peer.Fd())),
		}))
	})
	if err != nil {
		return err
	}
	if err := setUp(a, aName); err != nil {
		return err
	}
	return setUp(b, bName)
}

// descriptor opens a namespace for a netlink message that has to name it.
func descriptor(ns *nsswitch.NS) (f *os.File, err error) {
	err = ns.Do(func() error {
		f, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return f, err
}

func addAddr(ns *nsswitch.NS, ifname string, prefixes []netip.Prefix) error {
	return within(ns, func(h *netlink.Handle) error {
		link, err := h.LinkByName(ifname)
		if err != nil {
			return linkError("find", ns, ifname, err)
		}
		for _, p := range prefixes {
			a := &netlink.Addr{IPNet: ipNet(p)}
			if p.Addr().Is6() {
				a.Flags = unix.IFA_F_NODAD
			}
			if err := h.AddrAdd(link, a); err != nil {
				return linkError("give address "+p.String()+" to", ns, ifname, err)
			}
		}
		return nil
	})
}

// addDefault adds a default route by way of a neighbour.
func addDefault(ns *nsswitch.NS, ifname string, via netip.Addr) error {
	return within(ns, func(h *netlink.Handle) error {
		link, err := h.LinkByName(ifname)
		if err == nil {
			err = h.RouteAdd(&netlink.Route{
				LinkIndex: link.Attrs().Index,
				Gw:        via.AsSlice(),
			})
		}
		return linkError("route by "+via.String()+" on", ns, ifname, err)
	})
}

// addBridge makes a bridge and sets it up. It forwards at once, because
// spanning tree is off, and floods multicast, because there is nobody who
// would ask for memberships.
func addBridge(ns *nsswitch.NS, ifname string) error {
	err := within(ns, func(h *netlink.Handle) error {
		snooping := false
		return linkError("make bridge", ns, ifname, h.LinkAdd(&netlink.Bridge{
			LinkAttrs:         netlink.LinkAttrs{Name: ifname},
			MulticastSnooping: &snooping,
		}))
	})
	if err != nil {
		return err
	}
	return setUp(ns, ifname)
}

// plug makes an interface a port of a bridge.
func plug(ns *nsswitch.NS, ifname, bridge string) error {
	return within(ns, func(h *netlink.Handle) error {
		master, err := h.LinkByName(bridge)
		if err != nil {
			return linkError("find", ns, bridge, err)
		}
		port, err := h.LinkByName(ifname)
		if err == nil {
			err = h.LinkSetMaster(port, master)
		}
		return linkError("plug into "+bridge, ns, ifname, err)
	})
}

func linkError(op string, ns *nsswitch.NS, ifname string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s in %s: %w", op, ifname, ns, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   p.Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}
}
