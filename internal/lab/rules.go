package lab

import (
	"fmt"
	"net/netip"
)

// Rules names a rule set of a pod in the mesh.
type Rules int

const (
	// Today is what Istio writes in August 2026: proxy uid and gid 1337,
	// IPv4 only. IPv6 goes around the sidecar.
	Today Rules = iota
	// Article is a rule set of the year 2022 from a real cluster: uid and
	// gid 201507, and self-calls that are told by address alone.
	Article
	// DualStack is Today with the same rules for IPv6.
	DualStack
	// TProxy takes inbound connections by TPROXY: the application sees the
	// client's address, and the proxy runs as root with gid 1337.
	TProxy
	// TProxy6 is TProxy with the same rules for IPv6.
	TProxy6
	// DNS is Today with the queries to the pod's resolver captured.
	DNS
	// DNSAll is Today with the queries to any resolver captured.
	DNSAll
	// Excludes takes a list of inbound ports and one outbound range, leaves
	// out two outbound ports, and drops invalid packets.
	Excludes
	// ExcludeNets leaves all addresses of the lab alone on the way out, one
	// more inbound port, and an interface that is not there.
	ExcludeNets
	// Native is Today in Istio's own nftables tables, of family inet.
	Native
	// NativeDNS is Native for two stacks with all queries captured.
	NativeDNS
	// NativeTProxy is TProxy in Istio's own nftables tables.
	NativeTProxy
	// Ambient has a ztunnel with sockets in the pod instead of a sidecar.
	Ambient
	// Ambient6 is Ambient with the same rules for IPv6.
	Ambient6
	// AmbientDNS is Ambient with queries captured.
	AmbientDNS
	// AmbientDNS6 is Ambient6 with queries captured.
	AmbientDNS6
	// AmbientIngress is Ambient without capture of inbound connections.
	AmbientIngress

	numRules
)

var ruleNames = [numRules]string{
	"today", "article", "dualstack", "tproxy", "tproxy6", "dns", "dns-all",
	"excludes", "exclude-nets", "native", "native-dns", "native-tproxy", "ambient",
	"ambient6", "ambient-dns", "ambient-dns6", "ambient-ingress",
}

// String is the name of the rule set.
func (r Rules) String() string {
	if r < 0 || r >= numRules {
		return fmt.Sprintf("Rules(%d)", int(r))
	}
	return ruleNames[r]
}

// AllRules lists the rule sets.
func AllRules() []Rules {
	all := make([]Rules, numRules)
	for i := range all {
		all[i] = Rules(i)
	}
	return all
}

// A Mode is how connections of a pod come to its proxy.
type Mode int

const (
	// Redirect is a sidecar that REDIRECT leads to, in both directions.
	Redirect Mode = iota
	// Transparent is a sidecar with TPROXY for inbound connections.
	Transparent
	// Tunnel is ambient mode: a ztunnel and HBONE.
	Tunnel
)

// A ruleSpec is all that rule sets differ in.
type ruleSpec struct {
	mode      Mode
	native    bool // native are rules for nft(8).
	dualStack bool
	dns       dnsCapture
	id        int  // id is the proxy's uid and gid in the rules.
	loose     bool // loose are the rules of the article.
	ingress   bool // ingress leaves inbound connections alone.
	bare      bool // bare are listeners of ztunnel without a mark.
	localhost bool // localhost is where sidecars call their applications.
	root      bool // root is a proxy whose uid the rules do not know.

	includeIn   []int          // includeIn are the only inbound ports.
	excludeIn   []int          // excludeIn are left alone beside healthPorts.
	excludeLink string         // excludeLink is an interface left alone.
	excludeOut  []int          // excludeOut are outbound ports left alone.
	includeNets []netip.Prefix // includeNets are the only outbound ranges.
	excludeNets []netip.Prefix
	dropInvalid bool
}

// allows reports whether rules can go in by a way.
func (s ruleSpec) allows(a Apply) error {
	switch {
	case s.native && a != NFT:
		return fmt.Errorf("native rules cannot be applied by %v, only by %v", a, NFT)
	case !s.native && a == NFT:
		return fmt.Errorf("rules of iptables cannot be applied by %v", a)
	case a == NFTables && (s.mode != Redirect || s.dns != dnsNone || s.dropInvalid):
		return fmt.Errorf("rules of more tables than nat cannot be applied by %v: iptables-restore is needed", a)
	}
	return nil
}

// dnsCapture says which DNS queries are captured.
type dnsCapture int

const (
	dnsNone     dnsCapture = iota
	dnsResolver            // dnsResolver: those to the pod's resolver.
	dnsAll
)

// The ids that proxies have.
const (
	proxyID   = 1337
	articleID = 201507
)

// spec looks a rule set up.
func (r Rules) spec() (ruleSpec, error) {
	s := ruleSpec{id: proxyID}
	switch r {
	case Today:
	case Article:
		s.id, s.loose = articleID, true
	case DualStack:
		s.dualStack = true
	case TProxy, TProxy6:
		s.mode, s.dualStack = Transparent, r == TProxy6
	case DNS:
		s.dns = dnsResolver
	case DNSAll:
		s.dns = dnsAll
	case Excludes:
		s.includeIn = []int{8080, 9090}
		s.excludeOut = []int{3306, 6379}
		s.includeNets = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12")}
		s.excludeNets = []netip.Prefix{netip.MustParsePrefix("169.254.169.254/32")}
		s.dropInvalid = true
	case ExcludeNets:
		s.excludeIn = []int{22}
		s.excludeOut = []int{5432}
		s.excludeNets = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s.excludeLink = "eth1"
	case Native:
		s.native = true
	case NativeDNS:
		s.native, s.dualStack, s.dns = true, true, dnsAll
	case NativeTProxy:
		s.native, s.mode = true, Transparent
	case Ambient, Ambient6, AmbientDNS, AmbientDNS6, AmbientIngress:
		s.mode, s.id = Tunnel, 0
		s.dualStack = r == Ambient6 || r == AmbientDNS6
		s.ingress = r == AmbientIngress
		if r == AmbientDNS || r == AmbientDNS6 {
			s.dns = dnsAll
		}
	default:
		return ruleSpec{}, fmt.Errorf("no such rule set: %v", r)
	}
	return s, nil
}

// Apply is a way to bring rules into the kernel.
type Apply int

const (
	// Auto is IPTables where iptables-restore is found, NFTables elsewhere.
	// For the native rule sets it is NFT.
	Auto Apply = iota
	// IPTables runs iptables-restore, whichever kernel interface it uses.
	IPTables
	// IPTablesLegacy runs iptables-legacy-restore.
	IPTablesLegacy
	// NFTables translates rules of the nat table and needs no program.
	NFTables
	// NFT runs nft(8), for the native rule sets only.
	NFT
)

// String is the name of the way.
func (a Apply) String() string {
	switch a {
	case Auto:
		return "auto"
	case IPTables:
		return "iptables"
	case IPTablesLegacy:
		return "iptables-legacy"
	case NFTables:
		return "nftables"
	case NFT:
		return "nft"
	}
	return fmt.Sprintf("Apply(%d)", int(a))
}
