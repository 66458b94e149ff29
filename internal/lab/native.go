package lab

import (
	"fmt"
	"strings"
)

// nftTable is the name that Istio's native nftables rules have for their nat
// table. It keeps out of the way of "nat", which iptables-nft would claim.
const nftTable = "istio-proxy-nat"

// A nativeTable is a table on its way to a script for nft(8). Its family is
// inet, so that rules without an address are for both versions of IP.
type nativeTable struct {
	name   string
	chains []nativeChain
}

// A nativeChain is a base chain if it has a type and hook.
type nativeChain struct {
	name  string
	hook  string
	rules []string
}

// chain appends a chain. Each rule counts ahead of its verdict.
func (t *nativeTable) chain(name, hook string, rules ...string) {
	t.chains = append(t.chains, nativeChain{name, hook, rules})
}

// count is a rule with a counter between its matches and what it does.
func count(verdict string, matches ...string) string {
	return strings.Join(append(matches, "counter", verdict), " ")
}

// script is the rule set as input for nft(8), in Istio's own tables.
func (s ruleSpec) script() string {
	tables := []nativeTable{s.nativeNAT()}
	if s.mode == Transparent {
		tables = append(tables, s.nativeMangle())
	}
	if s.dns != dnsNone {
		tables = append(tables, s.nativeRaw())
	}
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "table inet %s {\n", t.name)
		for _, c := range t.chains {
			fmt.Fprintf(&b, "chain %s {\n", c.name)
			if c.hook != "" {
				fmt.Fprintf(&b, "type %s; policy accept;\n", c.hook)
			}
			b.WriteString(strings.Join(c.rules, "\n") + "\n}\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// families are the versions of IP that have rules of their own, by what nft
// calls them.
func (s ruleSpec) families() map[string]family {
	f := map[string]family{"ip": family4}
	if s.dualStack {
		f["ip6"] = family6
	}
	return f
}

// each makes one rule for each version of IP, IPv4 first.
func (s ruleSpec) each(rule func(ip string, f family) string) []string {
	var rules []string
	families := s.families()
	for _, ip := range []string{"ip", "ip6"} {
		if f, ok := families[ip]; ok {
			rules = append(rules, rule(ip, f))
		}
	}
	return rules
}

const (
	onLo    = `oifname "lo"`
	anyTCP  = "meta l4proto tcp"
	portNot = "tcp dport != "
)

// owners are what nft calls uid and gid.
var owners = []string{"meta skuid", "meta skgid"}

func (s ruleSpec) nativeNAT() nativeTable {
	t := nativeTable{name: nftTable}
	inbound := []string{count("return", fmt.Sprintf("tcp dport %d", PortTunnel))}
	if s.mode == Redirect {
		t.chain("prerouting", "nat hook prerouting priority dstnat", count("jump istio-inbound", anyTCP))
		inbound = append(inbound, s.nativeHealth()...)
		inbound = append(inbound, count("jump istio-in-redirect", anyTCP))
	}
	t.chain("istio-redirect", "", count(fmt.Sprintf("redirect to :%d", PortOutbound), anyTCP))
	t.chain("istio-in-redirect", "", count(fmt.Sprintf("redirect to :%d", PortInbound), anyTCP))
	t.chain("istio-inbound", "", inbound...)
	if s.dns != dnsNone {
		to := fmt.Sprintf("redirect to :%d", PortDNS)
		t.chain("istio-output-dns", "", count(to, "tcp dport 53"), count(to, "udp dport 53"))
	}
	t.chain("istio-output", "", s.nativeOutput()...)
	t.chain("output", "nat hook output priority -100", count("jump istio-output"))
	return t
}

// nativeHealth lets pass what is never taken from outside.
func (s ruleSpec) nativeHealth() []string {
	var rules []string
	for _, port := range healthPorts {
		rules = append(rules, count("return", fmt.Sprintf("tcp dport %d", port)))
	}
	return rules
}

func (s ruleSpec) nativeOutput() []string {
	rules := s.each(func(ip string, f family) string {
		return count("return", onLo, ip, "saddr", f.source.Addr().String())
	})
	for i, owner := range owners {
		tunnel, query := fmt.Sprint(portNot, PortTunnel), ""
		if s.dns != dnsNone {
			query = fmt.Sprint(portNot, portQuery)
			if i == 0 {
				tunnel = fmt.Sprintf("%s{ %d, %d }", portNot, portQuery, PortTunnel)
			}
		}
		rules = append(rules, s.each(func(ip string, f family) string {
			return count("jump istio-in-redirect", onLo, ip, "daddr !=", f.loopback.Addr().String(), tunnel, owner, fmt.Sprint(s.id))
		})...)
		rules = append(rules,
			count("return", onLo, query, owner, "!=", fmt.Sprint(s.id)),
			count("return", owner, fmt.Sprint(s.id)))
	}
	if s.dns != dnsNone {
		rules = append(rules, count("jump istio-output-dns"))
	}
	rules = append(rules, s.each(func(ip string, f family) string {
		return count("return", ip, "daddr", f.loopback.Addr().String())
	})...)
	return append(rules, count("jump istio-redirect"))
}

// nativeMangle is TPROXY.
func (s ruleSpec) nativeMangle() nativeTable {
	t := nativeTable{name: "istio-proxy-mangle"}
	proxy, self := fmt.Sprintf("%#x", markProxy), fmt.Sprintf("%#x", markSelf)
	t.chain("istio-divert", "", count("meta mark set "+proxy), count("accept"))
	t.chain("istio-tproxy", "", s.each(func(ip string, f family) string {
		return fmt.Sprintf("%s %s daddr != %s tproxy %s to :%d meta mark set %s counter accept",
			anyTCP, ip, f.loopback.Addr(), ip, PortInbound, proxy)
	})...)
	inbound := []string{count("return", anyTCP, "meta mark", proxy)}
	inbound = append(inbound, s.each(func(ip string, f family) string {
		return count("return", `iifname "lo"`, anyTCP, ip, "saddr", f.source.Addr().String())
	})...)
	inbound = append(inbound, count("return", `iifname "lo"`, anyTCP, "meta mark !=", self))
	inbound = append(inbound, s.nativeHealth()...)
	inbound = append(inbound,
		count("jump istio-divert", anyTCP, "ct state established,related"),
		count("jump istio-tproxy", anyTCP))
	t.chain("istio-inbound", "", inbound...)
	t.chain("prerouting", "filter hook prerouting priority mangle",
		count("jump istio-inbound", anyTCP),
		count("ct mark set meta mark", anyTCP, "meta mark", proxy))
	output := []string{count("return", onLo, anyTCP, "meta mark", proxy)}
	for _, owner := range owners {
		output = append(output, s.each(func(ip string, f family) string {
			return count("meta mark set "+self, onLo, anyTCP, ip, "daddr !=", f.loopback.Addr().String(), owner, fmt.Sprint(s.id))
		})...)
	}
	t.chain("output", "route hook output priority mangle",
		append(output, count("meta mark set ct mark", anyTCP, "ct mark", proxy))...)
	return t
}

// nativeRaw keeps the two halves of a captured query apart.
func (s ruleSpec) nativeRaw() nativeTable {
	t := nativeTable{name: "istio-proxy-raw"}
	t.chain("istio-inbound", "", count("ct zone set 1", "udp sport 53"))
	var rules []string
	for _, owner := range owners {
		rules = append(rules,
			count("ct zone set 1", "udp dport 53", owner, fmt.Sprint(s.id)),
			count("ct zone set 2", fmt.Sprint("udp sport ", PortDNS), owner, fmt.Sprint(s.id)))
	}
	t.chain("istio-output-dns", "", append(rules, count("ct zone set 2", "udp dport 53"))...)
	t.chain("prerouting", "filter hook prerouting priority raw", count("jump istio-inbound"))
	t.chain("output", "filter hook output priority raw", count("jump istio-output-dns"))
	return t
}
