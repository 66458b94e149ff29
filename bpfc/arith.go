package bpfc

import "strings"

// A relationExpr compares two numbers about a packet: "ip[8] < 2".
type relationExpr struct {
	op   string
	a, b arith
}

// An arith is the syntax tree of an arithmetic expression. Parentheses are
// part of it, so that its String parses to the same tree.
type arith interface {
	String() string
	Pos() int
	End() int

	isArith()
}

// A number is a literal or a named constant, such as "tcp-syn".
type number struct {
	pos, end int
	text     string
	num      uint32
}

// A lengthOf is "len", the length of the packet.
type lengthOf struct{ pos, end int }

// A packetData is "proto[at:size]".
type packetData struct {
	pos, end int
	proto    string
	at       arith
	size     *operand // nil for one byte
}

// A parenthesis is an arithmetic expression in parentheses.
type parenthesis struct {
	pos, end int
	x        arith
}

// A minus is the sign before a number.
type minus struct {
	pos int
	x   arith
}

// A binaryExpr is two operands and the sign between them.
type binaryExpr struct {
	op   string
	a, b arith
}

func (*relationExpr) isExpr() {}

func (*number) isArith()      {}
func (*lengthOf) isArith()    {}
func (*packetData) isArith()  {}
func (*parenthesis) isArith() {}
func (*minus) isArith()       {}
func (*binaryExpr) isArith()  {}

func (r *relationExpr) Pos() int { return r.a.Pos() }
func (n *number) Pos() int       { return n.pos }
func (l *lengthOf) Pos() int     { return l.pos }
func (d *packetData) Pos() int   { return d.pos }
func (p *parenthesis) Pos() int  { return p.pos }
func (m *minus) Pos() int        { return m.pos }
func (b *binaryExpr) Pos() int   { return b.a.Pos() }

func (r *relationExpr) End() int { return r.b.End() }
func (n *number) End() int       { return n.end }
func (l *lengthOf) End() int     { return l.end }
func (d *packetData) End() int   { return d.end }
func (p *parenthesis) End() int  { return p.end }
func (m *minus) End() int        { return m.x.End() }
func (b *binaryExpr) End() int   { return b.b.End() }

// The signs stand between spaces, as "len-14" is one word.
func (r *relationExpr) String() string { return r.a.String() + " " + r.op + " " + r.b.String() }
func (n *number) String() string       { return n.text }
func (l *lengthOf) String() string     { return "len" }
func (p *parenthesis) String() string  { return "(" + p.x.String() + ")" }
func (m *minus) String() string        { return "-" + m.x.String() }
func (b *binaryExpr) String() string   { return b.a.String() + " " + b.op + " " + b.b.String() }

func (d *packetData) String() string {
	var s strings.Builder
	s.WriteString(d.proto + "[" + d.at.String())
	if d.size != nil {
		s.WriteString(" : " + d.size.String())
	}
	return s.String() + "]"
}
