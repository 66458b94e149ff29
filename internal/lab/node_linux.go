package lab

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// nowhere is an address that the node is asked to route to, and does not.
var nowhere = netip.AddrFrom4([4]byte{10, 244, 1, 99})

// lostTimeout is how long a sidecar tries to reach it, unless Config says.
const lostTimeout = 50 * time.Millisecond

// furnishNode gives the node addresses of its own, if the rules have a use
// for what the node does there.
func (l *Lab) furnishNode() error {
	var extra []netip.Addr
	if l.spec.dns != dnsNone {
		extra = append(extra, family4.resolver)
		if l.dualStack {
			extra = append(extra, family6.resolver)
		}
	}
	if l.Mode == Tunnel {
		extra = append(extra, family4.kubelet)
	}
	extra = append(extra, l.spec.sparedHosts()...)
	if len(extra) == 0 {
		return nil
	}
	if l.dualStack && l.Mode == Tunnel {
		extra = append(extra, family6.kubelet)
	}
	var prefixes []netip.Prefix
	for _, a := range extra {
		prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
	}
	l.exposeNode()
	return addAddr(l.node, bridge, prefixes)
}

// exposeNode makes the node known as Node.
func (l *Lab) exposeNode() {
	l.Node = &Pod{Name: workloadNode, NS: l.node, Netns: l.nodeName, Addr: podAddr(nodeHost)}
	if l.ipv6 {
		l.Node.Addr6 = podAddr6(nodeHost)
	}
}

// nodePart is what runs on the node, as root like a kubelet.
func (l *Lab) nodePart() part {
	p := part{Kind: kindNode, Name: workloadNode}
	if len(l.spec.sparedHosts()) > 0 {
		p.Ports = []int{portHTTP}
	}
	if l.spec.dns != dnsNone {
		p.Hosts = map[string]netip.Addr{hostOutside: l.Client.Addr}
		p.Servers = []netip.AddrPort{l.Resolver, netip.AddrPortFrom(l.Node.Addr, portQuery)}
		if l.dualStack {
			p.Servers = append(p.Servers, l.Resolver6)
		}
	}
	return p
}

// hosts are the names that proxies answer themselves.
func (l *Lab) hosts() map[string]netip.Addr {
	return map[string]netip.Addr{hostService: l.Service.Addr()}
}

// setEphemeral sets the range of ephemeral ports in a namespace.
func setEphemeral(ns *nsswitch.NS, r [2]int) error {
	if r == [2]int{} {
		return nil
	}
	return ns.Do(func() error {
		const name = "/proc/sys/net/ipv4/ip_local_port_range"
		return os.WriteFile(name, fmt.Appendf(nil, "%d %d", r[0], r[1]), 0)
	})
}

// rejectPorts makes a firewall that answers connections to one port with a
// reset, and to another by ICMP.
func rejectPorts(ns *nsswitch.NS) error {
	return ns.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return fmt.Errorf("open nftables in %s: %w", ns, err)
		}
		t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "firewall"})
		input := c.AddChain(&nftables.Chain{
			Table: t, Name: "input", Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		tcp, err := match{option: "-p", number: protoTCP}.exprs()
		if err != nil {
			return err
		}
		for port, reject := range map[uint32]*expr.Reject{
			RejectPort:     {Type: unix.NFT_REJECT_TCP_RST},
			ProhibitedPort: {Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED},
		} {
			dport, err := match{option: "--dport", number: port}.exprs()
			if err != nil {
				return err
			}
			c.AddRule(&nftables.Rule{Table: t, Chain: input, Exprs: slices.Concat(tcp, dport, []expr.Any{reject})})
		}
		if err := c.Flush(); err != nil {
			return fmt.Errorf("write firewall in %s: %w", ns, err)
		}
		return nil
	})
}
