package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// addRoutes makes what is marked come in by lo, whatever its address: the
// application's answers to a proxy that has the client's address.
func addRoutes(ns *nsswitch.NS, s ruleSpec) error {
	rule := netlink.NewRule()
	switch s.mode {
	case Transparent:
		rule.Mark, rule.Table = markProxy, tableTProxy
	case Tunnel:
		mask := uint32(ambientMask)
		rule.Mark, rule.Mask = markConn, &mask
		rule.Table, rule.Priority = tableAmbient, prefAmbient
	default:
		return nil
	}
	return within(ns, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return linkError("find", ns, "lo", err)
		}
		families := map[int]*net.IPNet{unix.AF_INET: {IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}}
		if s.dualStack {
			families[unix.AF_INET6] = &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
		}
		for family, all := range families {
			rule.Family = family
			if err := h.RuleAdd(rule); err != nil {
				return fmt.Errorf("add routing rule for mark %#x in %s: %w", rule.Mark, ns, err)
			}
			route := &netlink.Route{
				Family: family, Dst: all, LinkIndex: lo.Attrs().Index,
				Table: rule.Table, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
			}
			if err := h.RouteAdd(route); err != nil {
				return fmt.Errorf("add local route to table %d in %s: %w", rule.Table, ns, err)
			}
		}
		return nil
	})
}
