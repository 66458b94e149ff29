package lab

import (
	_ "embed"
	"fmt"
)

// Rules names a rule set of a sidecar.
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
)

// String is the name of the rule set.
func (r Rules) String() string {
	switch r {
	case Today:
		return "today"
	case Article:
		return "article"
	case DualStack:
		return "dualstack"
	}
	return fmt.Sprintf("Rules(%d)", int(r))
}

// Apply is a way to bring rules into the kernel.
type Apply int

const (
	// Auto is IPTables where iptables-restore is found, NFTables elsewhere.
	Auto Apply = iota
	// IPTables runs iptables-restore, whichever kernel interface it uses.
	IPTables
	// IPTablesLegacy runs iptables-legacy-restore.
	IPTablesLegacy
	// NFTables translates the rules and needs no program.
	NFTables
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
	}
	return fmt.Sprintf("Apply(%d)", int(a))
}

var (
	//go:embed testdata/sidecar-redirect.rules
	redirectRules string
	//go:embed testdata/sidecar-redirect6.rules
	redirect6Rules string
	//go:embed testdata/sidecar-article.rules
	articleRules string
)

// texts returns the rules as input for iptables-restore and for
// ip6tables-restore; the second is empty for a set that leaves IPv6 alone.
func (r Rules) texts() (v4, v6 string, err error) {
	switch r {
	case Today:
		return redirectRules, "", nil
	case Article:
		return articleRules, "", nil
	case DualStack:
		return redirectRules, redirect6Rules, nil
	}
	return "", "", fmt.Errorf("no such rule set: %v", r)
}
