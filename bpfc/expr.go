package bpfc

import (
	"slices"
	"strings"
)

// An Expr is the syntax tree of an expression. Its String is an expression
// that parses to the same tree.
type Expr interface {
	String() string
	Pos() int // first byte in the text, 0-based
	End() int // one past the last byte

	isExpr()
}

// A chain is terms with operators between them. "and" and "or" have the same
// precedence and bind to the left, so that a flat list holds them all.
type chain struct {
	terms []Expr
	ops   []operator // one fewer than terms
}

type operator bool

const (
	opOr  operator = false
	opAnd operator = true
)

// A negation is "not" and the one term it binds to.
type negation struct {
	pos int
	x   Expr
}

// A group is an expression in parentheses.
type group struct {
	pos, end int
	x        Expr
}

// A qualified is qualifiers and what they qualify: an operand, or operands
// joined by operators inside parentheses or after "not".
type qualified struct {
	pos int
	q   qualifiers
	x   Expr
}

// A protocol is a keyword such as "tcp" that is a primitive by itself.
type protocol struct {
	pos, end int
	name     string
}

// A length is "less N" or "greater N".
type length struct {
	pos     int
	greater bool
	n       *operand
}

// A cast is "broadcast" or "multicast" with or without a protocol.
type cast struct {
	pos, end int
	proto    string // "" for none
	word     string
}

// An encapsulation is a word such as "vlan" and the number after it: it moves
// the headers for all the text after it.
type encapsulation struct {
	pos, end int
	word     string
	n        *operand // nil for none
}

// A flow is "inbound", "outbound" or "ifindex N".
type flow struct {
	pos, end int
	word     string
	n        *operand // of ifindex
}

// A control is "llc" and the kind of control field after it.
type control struct {
	pos, end int
	kind     *operand // nil for any
}

// A byteTest is "byte N op N".
type byteTest struct {
	pos   int
	at, k *operand
	op    string
}

// An operand is an address, a name or a number.
type operand struct {
	pos, end int
	kind     tokenKind
	text     string // without the backslash of an escaped name
	num      uint32 // for numbers
	bits     int    // the prefix length of "X/bits", or -1
	mask     string // M of "X mask M", or ""

	q *qualifiers // set by qualify: those before it, or inherited ones
}

// contains reports whether is holds for an expression or a part of it.
func contains(e Expr, is func(Expr) bool) bool {
	if is(e) {
		return true
	}
	switch e := e.(type) {
	case *chain:
		return slices.ContainsFunc(e.terms, func(t Expr) bool { return contains(t, is) })
	case *negation:
		return contains(e.x, is)
	case *group:
		return contains(e.x, is)
	case *qualified:
		return contains(e.x, is)
	}
	return false
}

func (*chain) isExpr()         {}
func (*negation) isExpr()      {}
func (*group) isExpr()         {}
func (*qualified) isExpr()     {}
func (*protocol) isExpr()      {}
func (*length) isExpr()        {}
func (*operand) isExpr()       {}
func (*cast) isExpr()          {}
func (*encapsulation) isExpr() {}
func (*flow) isExpr()          {}
func (*control) isExpr()       {}
func (*byteTest) isExpr()      {}

func (c *chain) Pos() int         { return c.terms[0].Pos() }
func (n *negation) Pos() int      { return n.pos }
func (g *group) Pos() int         { return g.pos }
func (q *qualified) Pos() int     { return q.pos }
func (p *protocol) Pos() int      { return p.pos }
func (l *length) Pos() int        { return l.pos }
func (o *operand) Pos() int       { return o.pos }
func (c *cast) Pos() int          { return c.pos }
func (e *encapsulation) Pos() int { return e.pos }
func (f *flow) Pos() int          { return f.pos }
func (c *control) Pos() int       { return c.pos }
func (b *byteTest) Pos() int      { return b.pos }

func (c *chain) End() int         { return c.terms[len(c.terms)-1].End() }
func (n *negation) End() int      { return n.x.End() }
func (g *group) End() int         { return g.end }
func (q *qualified) End() int     { return q.x.End() }
func (p *protocol) End() int      { return p.end }
func (l *length) End() int        { return l.n.end }
func (o *operand) End() int       { return o.end }
func (c *cast) End() int          { return c.end }
func (e *encapsulation) End() int { return e.end }
func (f *flow) End() int          { return f.end }
func (c *control) End() int       { return c.end }
func (b *byteTest) End() int      { return b.k.end }

func (c *chain) String() string {
	var s strings.Builder
	for i, t := range c.terms {
		if i > 0 {
			s.WriteString(" " + c.ops[i-1].String() + " ")
		}
		s.WriteString(t.String())
	}
	return s.String()
}

func (n *negation) String() string  { return "not " + n.x.String() }
func (g *group) String() string     { return "(" + g.x.String() + ")" }
func (q *qualified) String() string { return q.q.String() + " " + q.x.String() }
func (p *protocol) String() string  { return p.name }

func (l *length) String() string {
	if l.greater {
		return "greater " + l.n.String()
	}
	return "less " + l.n.String()
}

func (o *operand) String() string {
	switch {
	case o.kind == tokenEscaped:
		return `\` + o.text
	case o.bits >= 0:
		return o.text + "/" + utoa(uint32(o.bits))
	case o.mask != "":
		return o.text + " mask " + o.mask
	}
	return o.text
}

func (c *cast) String() string {
	if c.proto == "" {
		return c.word
	}
	return c.proto + " " + c.word
}

func (e *encapsulation) String() string { return withOperand(e.word, e.n) }
func (f *flow) String() string          { return withOperand(f.word, f.n) }
func (c *control) String() string       { return withOperand("llc", c.kind) }

func (b *byteTest) String() string {
	return "byte " + b.at.String() + " " + b.op + " " + b.k.String()
}

// withOperand returns a word and the operand after it, if there is one.
func withOperand(word string, o *operand) string {
	if o == nil {
		return word
	}
	return word + " " + o.String()
}

func (o operator) String() string {
	if o == opAnd {
		return "and"
	}
	return "or"
}

// everything is the tree of the empty expression, which accepts all packets.
type everything struct{}

func (everything) isExpr()        {}
func (everything) Pos() int       { return 0 }
func (everything) End() int       { return 0 }
func (everything) String() string { return "" }
