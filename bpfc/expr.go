package bpfc

import "strings"

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

func (*chain) isExpr()     {}
func (*negation) isExpr()  {}
func (*group) isExpr()     {}
func (*qualified) isExpr() {}
func (*protocol) isExpr()  {}
func (*length) isExpr()    {}
func (*operand) isExpr()   {}

func (c *chain) Pos() int     { return c.terms[0].Pos() }
func (n *negation) Pos() int  { return n.pos }
func (g *group) Pos() int     { return g.pos }
func (q *qualified) Pos() int { return q.pos }
func (p *protocol) Pos() int  { return p.pos }
func (l *length) Pos() int    { return l.pos }
func (o *operand) Pos() int   { return o.pos }

func (c *chain) End() int     { return c.terms[len(c.terms)-1].End() }
func (n *negation) End() int  { return n.x.End() }
func (g *group) End() int     { return g.end }
func (q *qualified) End() int { return q.x.End() }
func (p *protocol) End() int  { return p.end }
func (l *length) End() int    { return l.n.end }
func (o *operand) End() int   { return o.end }

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
