package bpfc

import (
	"fmt"
	"net/netip"

	"golang.org/x/net/bpf"
)

// DefaultSnaplen is the number of bytes that a filter keeps of a packet unless
// told otherwise, the same as tcpdump's.
const DefaultSnaplen = 262144

// Options say how to compile. The zero value compiles for files, with
// tcpdump's snaplen and the embedded names.
type Options struct {
	// Snaplen is the number of bytes to keep of packets that match: the
	// value that the accepting instruction returns. 0 means DefaultSnaplen.
	Snaplen int
	// Live compiles for a packet socket rather than a file. The two differ in
	// what the kernel keeps beside the packet: the outermost VLAN tag, the
	// direction, the interface, and for the LINUX_SLL types, whose sockets
	// deliver packets without a link-layer header, the protocol.
	Live bool
	// Extensions is what getsockopt says of SO_BPF_EXTENSIONS: a live program
	// loads what the kernel keeps beside the packet only from offsets below
	// it, see linux/filter.h. Without that of the VLAN tag (below 52),
	// "vlan" looks into the packet alone, as libpcap's programs do then. 0
	// means all that Linux 4.1 and later have.
	Extensions int
	// Netmask is that of the network, an IPv4 address, which "ip broadcast"
	// needs. The zero value means that it is not known.
	Netmask netip.Addr
	// StrictCIDR refuses networks with host bits set, as libpcap does.
	// Otherwise the bits are cleared, and a Note says so.
	StrictCIDR bool
	// Resolver is asked for names before the embedded tables. nil means that
	// only these are used; they have no hosts and no networks.
	Resolver Resolver
	// Limit is the greatest number of instructions; a program that needs more
	// is a *LimitError. 0 means MaxInstructions, which Linux takes; NoLimit
	// is for programs that are run by Match or MatchMeta only.
	Limit int
}

// A Note says what was changed in an expression before it was compiled.
type Note struct {
	Pos, End int // the words, as 0-based byte offsets, half-open
	Msg      string
}

// A Program is a compiled filter.
type Program struct {
	Insns []bpf.RawInstruction
	Notes []Note
}

// Compile compiles an expression for a link type, for a program that keeps
// snaplen bytes of packets that match (0 means DefaultSnaplen). The error is
// a *Error.
func Compile(expr string, lt LinkType, snaplen int) ([]bpf.RawInstruction, error) {
	p, err := CompileOptions(expr, lt, Options{Snaplen: snaplen})
	if err != nil {
		return nil, err
	}
	return p.Insns, nil
}

// CompileOptions compiles an expression for a link type. The error is a
// *Error; one for which errors.Is(err, ErrNeverMatches) holds means that the
// expression is right but that no packet can match it.
func CompileOptions(expr string, lt LinkType, o Options) (*Program, error) {
	c, err := newCompilation(expr, lt, o)
	if err != nil {
		return nil, err
	}
	v, err := c.optimize()
	if err != nil {
		return nil, err
	}
	insns, root := c.best(v, fastLeaf)
	if insns == nil {
		return nil, c.tooLarge()
	}
	if root.returns() && !root.accept {
		return nil, &Error{
			Kind: KindNeverMatches, Expr: expr, Pos: 0, End: len(expr),
			Msg: ErrNeverMatches.Error(),
		}
	}
	if insns, err = c.within(o.Limit, insns, v); err != nil {
		return nil, err
	}
	if err := validate(insns); err != nil {
		panic("bpfc: invalid program: " + err.Error())
	}
	return &Program{Insns: insns, Notes: c.notes}, nil
}

// A compilation is an expression that has become a formula.
type compilation struct {
	expr    string
	formula formula
	sets    setTable
	snaplen int
	care    care
	notes   []Note
	choices []formula // see expandChoices
	parts   bool      // some of them are parts of others
}

// newCompilation runs the passes from text to formula.
func newCompilation(expr string, lt LinkType, o Options) (*compilation, error) {
	layer, ok := lt.layer(o.Live)
	if !ok {
		return nil, &Error{
			Kind: KindLinkType, Expr: expr, Pos: 0, End: len(expr),
			Msg:  "filters for link type " + lt.String() + " are not supported",
			Hint: "supported are EN10MB, RAW, LINUX_SLL and LINUX_SLL2",
		}
	}
	if o.Snaplen < 0 || int64(o.Snaplen) > allOnes {
		return nil, &Error{
			Kind: KindRange, Expr: expr, Pos: 0, End: len(expr),
			Msg: fmt.Sprintf("snaplen %d is out of range", o.Snaplen),
		}
	}
	if o.Extensions < 0 {
		return nil, &Error{
			Kind: KindRange, Expr: expr, Pos: 0, End: len(expr),
			Msg:  fmt.Sprintf("extensions %d is out of range", o.Extensions),
			Hint: "0 stands for all of them",
		}
	}
	layer.extensions = uint32(o.Extensions)
	tree, err := Parse(expr)
	if err != nil {
		return nil, err
	}
	layer.calcs.care = careOf(tree)
	r := resolver{
		expr: expr, where: leaf(layer), names: names{o.Resolver},
		netmask: o.Netmask, strict: o.StrictCIDR,
	}
	f, err := r.resolve(tree)
	if err != nil {
		return nil, err
	}
	c := &compilation{expr: expr, formula: f, snaplen: o.Snaplen,
		care: layer.calcs.care, notes: r.notes, choices: layer.calcs.choices,
		parts: layer.calcs.chosen[choiceOfPart] > 0}
	if c.snaplen == 0 {
		c.snaplen = DefaultSnaplen
	}
	return c, nil
}

// blocks returns the first block of a formula, without optimization. If the
// program is to be optimized, loads can be left out from the start, and
// formulas of a kind are single tests.
func (c *compilation) blocks(f formula, optimized bool, chooses choiceKind) (*block, error) {
	g := newScatter()
	switch {
	case !optimized:
	case c.care <= careFork:
		g.drops = true
	case c.care == careGeneve:
		g.keeps = true
	case c.care == careChain:
		g = newGraph()
	}
	g.chooses = chooses
	root := f.blocks(g, g.accept, g.reject)
	if g.full {
		return nil, c.tooLarge()
	}
	return root, nil
}

// tooLarge is the error for an expression with too many tests.
func (c *compilation) tooLarge() error {
	return &Error{
		Kind: KindLimit, Expr: c.expr, Pos: 0, End: len(c.expr),
		Msg: fmt.Sprintf("expression has more than %d tests", maxBlocks),
	}
}

// layout runs the last passes, from blocks to instructions.
func (c *compilation) layout(root *block, share bool) []bpf.RawInstruction {
	start := sections(root, c.snaplen, share)
	if share && c.care >= careFork {
		start = hoist(start)
	}
	return layout(start)
}
