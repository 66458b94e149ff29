package kernel

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// This file knows what a set of netfilter rules means for redirection. It is
// the same for nftables, iptables-nft and iptables-legacy: each of them is
// first turned into the chains below.

// dnsPort is the destination port that tells a redirect of DNS from others.
const dnsPort = 53

// maxSteps bounds the rules looked at in one walk. A node with 20,000 services
// has some 200,000; chains that jump to each other several times could
// otherwise take time that is exponential in their number.
const maxSteps = 1 << 20

// maxDepth bounds how deep jumps are followed. nf_tables allows 16
// (NFT_JUMP_STACK_SIZE); iptables-legacy knows no bound, but no use for more.
const maxDepth = 64

var errTooManyRules = errors.New("too many rules to follow")

// A hook is where in its path netfilter sees a packet.
type hook int

const (
	hookPrerouting hook = iota + 1
	hookOutput
)

// A cond is what a rule asks of the first packet of a connection.
type cond struct {
	proto  uint8    // IP protocol; 0 for any
	ports  []uint16 // destination ports; nil for any
	except []uint16 // destination ports that do not match

	// Owners of the socket that sends; nil for any. A rule for everybody but
	// an owner has none here.
	uids, gids []uint32

	version uint8 // IP version: 4 or 6; 0 for either

	// Addresses, all of which have to contain that of the packet, or none.
	src, dst, notSrc, notDst []netip.Prefix

	// Names of interfaces; "eth+" is every one that begins with "eth".
	in, out, notIn, notOut []string

	marks, notMarks []Mark

	input bool // asks for an input interface
	other bool // asks for something else besides
}

// and returns the condition that both c and d hold.
func (c cond) and(d cond) cond {
	if d.proto == 0 {
		d.proto = c.proto
	} else if c.proto != 0 && c.proto != d.proto {
		d.other = true
	}
	if d.ports == nil {
		d.ports = c.ports
	}
	d.except = append(slices.Clip(c.except), d.except...)
	d.uids = append(slices.Clip(c.uids), d.uids...)
	d.gids = append(slices.Clip(c.gids), d.gids...)
	if d.version == 0 {
		d.version = c.version
	} else if c.version != 0 && c.version != d.version {
		d.other = true
	}
	d.src = append(slices.Clip(c.src), d.src...)
	d.dst = append(slices.Clip(c.dst), d.dst...)
	d.notSrc = append(slices.Clip(c.notSrc), d.notSrc...)
	d.notDst = append(slices.Clip(c.notDst), d.notDst...)
	d.in = append(slices.Clip(c.in), d.in...)
	d.out = append(slices.Clip(c.out), d.out...)
	d.notIn = append(slices.Clip(c.notIn), d.notIn...)
	d.notOut = append(slices.Clip(c.notOut), d.notOut...)
	d.marks = append(slices.Clip(c.marks), d.marks...)
	d.notMarks = append(slices.Clip(c.notMarks), d.notMarks...)
	d.input = d.input || c.input
	d.other = d.other || c.other
	return d
}

func (c cond) tcp() bool   { return c.proto == 0 || c.proto == ProtoTCP }
func (c cond) owned() bool { return len(c.uids)+len(c.gids) > 0 }

// dns reports whether only destination port 53 matches.
func (c cond) dns() bool { return len(c.ports) == 1 && c.ports[0] == dnsPort }

// addressed reports whether addresses are asked for, or an IP version.
func (c cond) addressed() bool {
	return c.version != 0 || len(c.src)+len(c.dst)+len(c.notSrc)+len(c.notDst) > 0
}

// linked reports whether interfaces are asked for.
func (c cond) linked() bool {
	return c.input || len(c.in)+len(c.out)+len(c.notIn)+len(c.notOut) > 0
}

// marked reports whether a mark is asked for.
func (c cond) marked() bool { return len(c.marks)+len(c.notMarks) > 0 }

// portOnly reports whether nothing but the protocol and the destination port
// is asked for.
func (c cond) portOnly() bool {
	return c.tcp() && !c.owned() && !c.addressed() && !c.linked() && !c.marked() && !c.other
}

// allTCP reports whether every TCP connection matches.
func (c cond) allTCP() bool {
	return c.portOnly() && c.ports == nil && len(c.except) == 0
}

// A verdict is what a rule does.
type verdict int

const (
	verdictNone verdict = iota // goes on with the next rule
	verdictReturn
	verdictAccept
	verdictDrop
	verdictJump
	verdictGoto
	verdictRedirect
	verdictTProxy
)

// A rule is a netfilter rule, as far as it matters here.
type rule struct {
	cond    cond
	verdict verdict
	chain   string // where a jump or goto leads
	port    uint16 // where a redirect leads
}

// chains are the chains of a table by name.
type chains map[string][]rule

// A hit is a redirecting rule together with all that leads to it.
type hit struct {
	hook   hook
	cond   cond
	port   uint16
	tproxy bool
}

// A finding gathers what walks over several tables come upon.
type finding struct {
	hits     []hit
	excluded []uint16
	spared   []cond // OUTPUT rules that spare an owner
	sources  []string

	decisions map[hook][]decision
}

// add walks a table from a base chain. source names the table, whose rules are
// for an IP version, 4 or 6, or for both, 0.
func (f *finding) add(source string, version uint8, h hook, c chains, base string) error {
	w := walker{chains: c, hook: h}
	w.chain(base, cond{}, 0)
	if w.exceeded {
		return errTooManyRules
	}
	if len(w.hits) == 0 {
		return nil
	}
	f.hits = append(f.hits, w.hits...)
	f.excluded = append(f.excluded, w.excluded...)
	f.spared = append(f.spared, w.spared...)
	if f.decisions == nil {
		f.decisions = make(map[hook][]decision)
	}
	for _, d := range w.decisions {
		if d.version == 0 {
			d.version = version
		}
		f.decisions[h] = append(f.decisions[h], d)
	}
	if !slices.Contains(f.sources, source) {
		f.sources = append(f.sources, source)
	}
	return nil
}

// A walker follows the jumps from one base chain.
type walker struct {
	chains chains
	hook   hook
	steps  int

	exceeded bool // a bound was, so the rest was not walked

	hits      []hit
	excluded  []uint16
	spared    []cond
	decisions []decision
}

// chain walks the rules of a chain that is reached under a condition. It
// reports whether no TCP connection comes back out of the chain.
func (w *walker) chain(name string, path cond, depth int) (end bool) {
	for _, r := range w.chains[name] {
		w.steps++
		w.exceeded = w.exceeded || w.steps > maxSteps || depth > maxDepth
		if w.exceeded {
			return true
		}
		c := path.and(r.cond)
		switch r.verdict {
		case verdictJump, verdictGoto:
			if w.chain(r.chain, c, depth+1) {
				return true
			}
			if r.verdict == verdictGoto && r.cond.allTCP() {
				return false
			}
		case verdictRedirect, verdictTProxy:
			w.hits = append(w.hits, hit{w.hook, c, r.port, r.verdict == verdictTProxy})
			w.decisions = append(w.decisions, decision{c, true})
			if r.cond.allTCP() {
				return c.allTCP()
			}
		case verdictReturn, verdictAccept:
			// An end of a chain for everything, as iptables-legacy has at
			// each, spares nothing from what its caller has in store; and
			// what comes to that of a base chain is spared anyway.
			if !r.cond.allTCP() || r.verdict == verdictAccept && depth > 0 {
				w.pass(c)
			}
			if r.cond.allTCP() {
				return r.verdict == verdictAccept && c.allTCP()
			}
		case verdictDrop:
			if r.cond.allTCP() {
				return c.allTCP()
			}
		}
	}
	return false
}

// pass notes a condition under which connections go past what follows.
func (w *walker) pass(c cond) {
	w.decisions = append(w.decisions, decision{c, false})
	switch {
	case w.hook == hookPrerouting && c.portOnly():
		w.excluded = append(w.excluded, c.ports...)
	case w.hook == hookOutput && c.owned():
		w.spared = append(w.spared, c)
	}
}

// redirects draws the conclusions.
func (f *finding) redirects() Redirects {
	r := Redirects{Source: strings.Join(f.sources, ", ")}
	f.setInbound(&r)
	f.setOutbound(&r)
	f.setOwners(&r)
	f.setMarks(&r)
	r.InboundRules = f.rules(hookPrerouting)
	r.OutboundRules = f.rules(hookOutput)
	return r
}

// setInbound takes the redirect that incoming TCP connections come to. Rules
// for one input interface only (a virtual machine's, which lead to Outbound)
// count when there is nothing else. Under TPROXY without a PREROUTING rule that
// can be read, the proxy's own connections to its pod show the port.
func (f *finding) setInbound(r *Redirects) {
	in := func(h hit) bool { return h.hook == hookPrerouting && h.cond.tcp() && !h.cond.dns() }
	h, ok := f.first(
		func(h hit) bool { return in(h) && !h.cond.input },
		in,
		func(h hit) bool { return h.hook == hookOutput && h.cond.tcp() && h.cond.owned() },
	)
	if !ok {
		return
	}
	r.Inbound, r.TProxy = h.port, h.tproxy
	if h.hook != hookPrerouting {
		return
	}
	excluded, included, all := f.excluded, []uint16(nil), false
	for _, h := range f.hits {
		if !in(h) || h.port != r.Inbound {
			continue
		}
		excluded = append(excluded, h.cond.except...)
		included = append(included, h.cond.ports...)
		all = all || h.cond.ports == nil
	}
	r.ExcludedInbound = sorted(excluded)
	if !all {
		r.IncludedInbound = sorted(included)
	}
}

// setOutbound takes the redirects that locally made connections come to,
// leaving those of the proxy itself aside.
func (f *finding) setOutbound(r *Redirects) {
	out := func(h hit) bool { return h.hook == hookOutput && !h.cond.owned() && h.port != r.Inbound }
	h, ok := f.first(
		func(h hit) bool { return out(h) && h.cond.tcp() && h.cond.ports == nil },
		func(h hit) bool { return out(h) && h.cond.tcp() && !h.cond.dns() },
	)
	if ok {
		r.Outbound = h.port
	}
	h, ok = f.first(func(h hit) bool { return out(h) && h.cond.dns() && h.port != r.Outbound })
	if ok {
		r.DNS = h.port
	}
}

// setOwners takes the owners that rules send to a redirect of their own. Where
// a mesh has no such rule, those that are spared from redirection are meant.
// (Istio can spare others, too; it always has the former rule.)
func (f *finding) setOwners(r *Redirects) {
	var uids, gids []uint32
	for _, h := range f.hits {
		if h.hook == hookOutput {
			uids = append(uids, h.cond.uids...)
			gids = append(gids, h.cond.gids...)
		}
	}
	if len(uids)+len(gids) == 0 {
		for _, c := range f.spared {
			uids = append(uids, c.uids...)
			gids = append(gids, c.gids...)
		}
	}
	r.ProxyUIDs, r.ProxyGIDs = sorted(uids), sorted(gids)
}

// first returns the first hit that the earliest possible test accepts.
func (f *finding) first(tests ...func(hit) bool) (hit, bool) {
	for _, test := range tests {
		if i := slices.IndexFunc(f.hits, test); i >= 0 {
			return f.hits[i], true
		}
	}
	return hit{}, false
}

// sorted returns s in order and without duplicates; nil if it is empty.
func sorted[T uint16 | uint32](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}
