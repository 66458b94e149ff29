package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A family has what the rules of IPv4 and of IPv6 differ in.
type family struct {
	loopback netip.Prefix // loopback is the address itself.
	source   netip.Prefix // source is where a sidecar calls its app from.
	kubelet  netip.Addr   // kubelet is where ambient has probes come from.
	any      netip.Addr
	resolver netip.Addr // resolver is the pod's DNS server.
}

var (
	family4 = family{
		loopback: netip.MustParsePrefix("127.0.0.1/32"),
		source:   netip.MustParsePrefix("127.0.0.6/32"),
		kubelet:  netip.MustParseAddr("169.254.7.127"),
		any:      netip.IPv4Unspecified(),
		resolver: netip.MustParseAddr("10.96.0.10"),
	}
	family6 = family{
		loopback: netip.MustParsePrefix("::1/128"),
		source:   netip.MustParsePrefix("::6/128"),
		kubelet:  netip.MustParseAddr("fd16:9254:7127:1337:ffff:ffff:ffff:ffff"),
		any:      netip.IPv6Unspecified(),
		resolver: netip.MustParseAddr("fd00:10:96::10"),
	}
)

// healthPorts are never taken from outside.
var healthPorts = []int{PortPrometheus, PortHealth, PortAgent}

// A tableText is a table on its way to a text for iptables-restore(8).
type tableText struct {
	name   string
	hooks  []string
	chains []string
	rules  []string
}

// add appends a rule to a chain.
func (t *tableText) add(chain, format string, args ...any) {
	t.rules = append(t.rules, "-A "+chain+" "+fmt.Sprintf(format, args...))
}

// write writes the table as iptables-save does, rules in the order in which
// they came.
func (t *tableText) write(b *strings.Builder) {
	fmt.Fprintf(b, "*%s\n", t.name)
	for _, h := range t.hooks {
		fmt.Fprintf(b, ":%s ACCEPT [0:0]\n", h)
	}
	for _, c := range t.chains {
		fmt.Fprintf(b, ":%s - [0:0]\n", c)
	}
	for _, r := range t.rules {
		b.WriteString(r + "\n")
	}
	b.WriteString("COMMIT\n")
}

// The tables, empty.
func rawTable() *tableText {
	return &tableText{name: "raw", hooks: []string{"PREROUTING", "OUTPUT"}}
}

func mangleTable() *tableText {
	return &tableText{name: "mangle", hooks: []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}}
}

func natTable() *tableText {
	return &tableText{name: "nat", hooks: []string{"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}}
}

// texts returns the rules as input for iptables-restore and for
// ip6tables-restore; the second is empty for a set that leaves IPv6 alone.
func (s ruleSpec) texts() (v4, v6 string) {
	v4 = s.text(family4)
	if s.dualStack {
		v6 = s.text(family6)
	}
	return v4, v6
}

func (s ruleSpec) text(f family) string {
	tables := s.sidecar(f)
	if s.mode == Tunnel {
		tables = s.ambient(f)
	}
	var b strings.Builder
	for _, t := range tables {
		t.write(&b)
	}
	return b.String()
}

// sidecar is what a pod with a sidecar gets.
func (s ruleSpec) sidecar(f family) []*tableText {
	var tables []*tableText
	if s.dropInvalid {
		t := mangleTable()
		t.chains = []string{"ISTIO_DROP"}
		t.add("PREROUTING", "-m conntrack --ctstate INVALID -j ISTIO_DROP")
		t.add("ISTIO_DROP", "-j DROP")
		tables = append(tables, t)
	}
	if s.mode == Transparent {
		tables = append(tables, s.divert(f))
	}
	if s.dns != dnsNone {
		tables = append(tables, s.zones(f))
	}
	return append(tables, s.redirect(f))
}

// redirect is the nat table: outbound, and inbound unless TPROXY does that.
func (s ruleSpec) redirect(f family) *tableText {
	t := natTable()
	t.chains = []string{"ISTIO_INBOUND", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT", "ISTIO_REDIRECT"}
	if s.excludeLink != "" {
		t.add("PREROUTING", "-i %s -j RETURN", s.excludeLink)
		t.add("OUTPUT", "-o %s -j RETURN", s.excludeLink)
	}
	if s.mode == Redirect {
		t.add("PREROUTING", "-p tcp -j ISTIO_INBOUND")
	}
	if s.loose {
		t.add("OUTPUT", "-p tcp -j ISTIO_OUTPUT")
	} else {
		t.add("OUTPUT", "-j ISTIO_OUTPUT")
	}
	t.add("ISTIO_INBOUND", "-p tcp -m tcp --dport %d -j RETURN", PortTunnel)
	if s.mode == Redirect {
		s.inboundPorts(t, "ISTIO_IN_REDIRECT")
	}
	t.add("ISTIO_IN_REDIRECT", "-p tcp -j REDIRECT --to-ports %d", PortInbound)
	for _, port := range s.excludeOut {
		t.add("ISTIO_OUTPUT", "-p tcp -m tcp --dport %d -j RETURN", port)
		t.add("ISTIO_OUTPUT", "-p udp -m udp --dport %d -j RETURN", port)
	}
	s.output(t, f)
	t.add("ISTIO_REDIRECT", "-p tcp -j REDIRECT --to-ports %d", PortOutbound)
	return t
}

// inboundPorts sends the inbound ports that are to be captured to a chain.
func (s ruleSpec) inboundPorts(t *tableText, to string) {
	for _, port := range s.includeIn {
		t.add("ISTIO_INBOUND", "-p tcp -m tcp --dport %d -j %s", port, to)
	}
	if len(s.includeIn) > 0 {
		return
	}
	for _, port := range slices.Concat(healthPorts, s.excludeIn) {
		t.add("ISTIO_INBOUND", "-p tcp -m tcp --dport %d -j RETURN", port)
	}
	if s.mode == Transparent {
		t.add("ISTIO_INBOUND", "-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT")
	}
	t.add("ISTIO_INBOUND", "-p tcp -j %s", to)
}

// output is chain ISTIO_OUTPUT: what the proxy itself does passes, but for
// its calls of its own pod, and all else is redirected.
func (s ruleSpec) output(t *tableText, f family) {
	const chain = "ISTIO_OUTPUT"
	t.add(chain, "-s %s -o lo -j RETURN", f.source)
	for _, owner := range []string{"uid", "gid"} {
		tunnel := fmt.Sprintf("-p tcp -m tcp ! --dport %d ", PortTunnel)
		if s.dns != dnsNone && owner == "uid" {
			tunnel = fmt.Sprintf("-p tcp -m multiport ! --dports 53,%d ", PortTunnel)
		}
		if s.loose {
			tunnel = ""
		}
		query := ""
		if s.dns != dnsNone {
			query = "-p tcp -m tcp ! --dport 53 "
		}
		t.add(chain, "! -d %s -o lo %s-m owner --%s-owner %d -j ISTIO_IN_REDIRECT", f.loopback, tunnel, owner, s.id)
		t.add(chain, "-o lo %s-m owner ! --%s-owner %d -j RETURN", query, owner, s.id)
		t.add(chain, "-m owner --%s-owner %d -j RETURN", owner, s.id)
	}
	if s.dns != dnsNone {
		t.chains = append(t.chains, "ISTIO_OUTPUT_DNS")
		t.add(chain, "-j ISTIO_OUTPUT_DNS")
		for _, proto := range []string{"tcp", "udp"} {
			t.add("ISTIO_OUTPUT_DNS", "%s-p %s -m %s --dport 53 -j REDIRECT --to-ports %d",
				s.resolver("-d", f), proto, proto, PortDNS)
		}
	}
	t.add(chain, "-d %s -j RETURN", f.loopback)
	for _, p := range s.excludeNets {
		t.add(chain, "-d %s -j RETURN", p)
	}
	for _, p := range s.includeNets {
		t.add(chain, "-d %s -j ISTIO_REDIRECT", p)
	}
	if len(s.includeNets) == 0 {
		t.add(chain, "-j ISTIO_REDIRECT")
	}
}

// resolver restricts a rule to the pod's resolver, if queries to others are
// left alone.
func (s ruleSpec) resolver(option string, f family) string {
	if s.dns == dnsAll {
		return ""
	}
	return option + " " + netip.PrefixFrom(f.resolver, f.resolver.BitLen()).String() + " "
}

// zones keeps the two halves of a captured query apart in conntrack.
func (s ruleSpec) zones(f family) *tableText {
	t := rawTable()
	t.chains = []string{"ISTIO_INBOUND", "ISTIO_OUTPUT_DNS"}
	t.add("PREROUTING", "-j ISTIO_INBOUND")
	t.add("OUTPUT", "-j ISTIO_OUTPUT_DNS")
	t.add("ISTIO_INBOUND", "%s-p udp -m udp --sport 53 -j CT --zone 1", s.resolver("-s", f))
	for _, owner := range []string{"uid", "gid"} {
		t.add("ISTIO_OUTPUT_DNS", "-p udp -m udp --dport 53 -m owner --%s-owner %d -j CT --zone 1", owner, s.id)
		t.add("ISTIO_OUTPUT_DNS", "-p udp -m udp --sport %d -m owner --%s-owner %d -j CT --zone 2", PortDNS, owner, s.id)
	}
	t.add("ISTIO_OUTPUT_DNS", "%s-p udp -m udp --dport 53 -j CT --zone 2", s.resolver("-d", f))
	return t
}

// The marks of TPROXY: of packets between the application and a proxy that
// bears the client's address, and of the proxy's calls of its own pod.
const (
	markProxy = 1337
	markSelf  = 1338
)

// divert is the mangle table of TPROXY.
func (s ruleSpec) divert(f family) *tableText {
	t := mangleTable()
	t.chains = []string{"ISTIO_DIVERT", "ISTIO_INBOUND", "ISTIO_TPROXY"}
	t.add("PREROUTING", "-p tcp -j ISTIO_INBOUND")
	t.add("PREROUTING", "-p tcp -m mark --mark %#x -j CONNMARK --save-mark", markProxy)
	t.add("OUTPUT", "-o lo -p tcp -m mark --mark %#x -j RETURN", markProxy)
	for _, owner := range []string{"uid", "gid"} {
		t.add("OUTPUT", "! -d %s -o lo -p tcp -m owner --%s-owner %d -j MARK --set-mark %#x", f.loopback, owner, s.id, markSelf)
	}
	t.add("OUTPUT", "-p tcp -m connmark --mark %#x -j CONNMARK --restore-mark", markProxy)
	t.add("ISTIO_DIVERT", "-j MARK --set-mark %#x", markProxy)
	t.add("ISTIO_DIVERT", "-j ACCEPT")
	t.add("ISTIO_INBOUND", "-p tcp -m mark --mark %#x -j RETURN", markProxy)
	t.add("ISTIO_INBOUND", "-s %s -i lo -p tcp -j RETURN", f.source)
	t.add("ISTIO_INBOUND", "-i lo -p tcp -m mark ! --mark %#x -j RETURN", markSelf)
	s.inboundPorts(t, "ISTIO_TPROXY")
	t.add("ISTIO_TPROXY", "! -d %s -p tcp -j TPROXY --on-port %d --on-ip %s --tproxy-mark %s",
		f.loopback, PortInbound, f.any, fullMask(markProxy))
	return t
}

func fullMask(mark int) string {
	return "0x" + strconv.FormatInt(int64(mark), 16) + "/0xffffffff"
}
