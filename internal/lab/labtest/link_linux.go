package labtest

import (
	"testing"

	"github.com/vishvananda/netlink"

	"icap/nsswitch"
)

// WithLink calls f with an interface of a namespace, inside the namespace. So
// WithLink(tb, ns, "eth0", netlink.LinkSetDown) takes the interface down.
func WithLink(tb testing.TB, ns *nsswitch.NS, name string, f func(netlink.Link) error) {
	tb.Helper()
	if err := ns.Do(func() error {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return f(l)
	}); err != nil {
		tb.Fatalf("interface %s in %s: %v", name, ns, err)
	}
}
