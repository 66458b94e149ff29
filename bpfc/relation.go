package bpfc

import "fmt"

// maxOperations bounds the signs in one relation. A program has no room for
// more.
const maxOperations = 4000

// beginsRelation reports whether the next tokens are the start of a relation
// rather than of another term. Behind a parenthesis that takes a look at all
// of the left side.
func (p *parser) beginsRelation() bool {
	t := p.tok()
	after := p.tokens[min(p.next+1, len(p.tokens)-1)]
	switch {
	case t.is("-"), t.is("len"), t.is("length"):
		return true
	case t.kind == tokenNumber:
		return isArithmetic(after) || isRelation(after)
	case t.kind == tokenKeyword:
		c := classOf(t.text)
		return (c == wordProtocol || c == wordLink) && after.is("[")
	case !t.is("("):
		return false
	}
	try := *p
	_, err := try.arithmetic(0)
	return err == nil && isRelation(try.tok())
}

// isRelation reports whether t compares two numbers.
func isRelation(t token) bool {
	switch t.text {
	case "=", "==", "!=", "<", "<=", ">", ">=":
		return t.kind == tokenSign
	}
	return false
}

// isArithmetic reports whether t calculates with two numbers.
func isArithmetic(t token) bool { return t.kind == tokenSign && strength(t.text) > 0 }

// strength returns how strongly a sign binds its operands, 0 if it does not.
func strength(sign string) int {
	switch sign {
	case "|":
		return 1
	case "&":
		return 2
	case "<<", ">>":
		return 3
	case "+", "-":
		return 4
	case "*", "/":
		return 5
	case "%", "^":
		return 6
	}
	return 0
}

// relation = arithmetic ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) arithmetic
func (p *parser) relation() (Expr, error) {
	p.operations = 0
	a, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	op := p.tok()
	if !isRelation(op) {
		return nil, p.unexpected(op, "a comparison such as "+quote("=")+" after "+quote(a.String()))
	}
	p.take()
	b, err := p.arithmetic(0)
	if err != nil {
		return nil, err
	}
	return &relationExpr{op: op.text, a: a, b: b}, nil
}

// arithmetic = signed { sign arithmetic }, of signs that bind stronger than
// least.
func (p *parser) arithmetic(least int) (arith, error) {
	a, err := p.signed()
	if err != nil {
		return nil, err
	}
	for {
		op := p.tok()
		if !isArithmetic(op) || strength(op.text) <= least {
			return a, nil
		}
		if err := p.count(op); err != nil {
			return nil, err
		}
		p.take()
		b, err := p.arithmetic(strength(op.text))
		if err != nil {
			return nil, err
		}
		a = &binaryExpr{op: op.text, a: a, b: b}
	}
}

// count counts the signs of a relation.
func (p *parser) count(op token) error {
	p.operations++
	if p.operations > maxOperations {
		return p.fail(KindLimit, op,
			fmt.Sprintf("more than %d signs in one comparison", maxOperations), "")
	}
	return nil
}

// signed = "-" signed | atom [ ( "%" | "^" ) arithmetic ]
//
// These two signs have no place among the others in libpcap's grammar. They
// take the nearest number on their left, before a minus too, and on their
// right all that follows.
func (p *parser) signed() (arith, error) {
	t := p.tok()
	if t.is("-") {
		p.take()
		if err := p.enter(t); err != nil {
			return nil, err
		}
		x, err := p.signed()
		p.depth--
		if err != nil {
			return nil, err
		}
		return &minus{pos: t.pos, x: x}, nil
	}
	a, err := p.atom()
	if err != nil {
		return nil, err
	}
	op := p.tok()
	if !op.is("%") && !op.is("^") {
		return a, nil
	}
	if err := p.count(op); err != nil {
		return nil, err
	}
	p.take()
	if err := p.enter(op); err != nil {
		return nil, err
	}
	b, err := p.arithmetic(0)
	p.depth--
	if err != nil {
		return nil, err
	}
	return &binaryExpr{op: op.text, a: a, b: b}, nil
}

// atom = number | "len" | "(" arithmetic ")" | protocol "[" ... "]"
func (p *parser) atom() (arith, error) {
	t := p.tok()
	switch {
	case t.kind == tokenNumber:
		p.take()
		return &number{pos: t.pos, end: t.end, text: t.text, num: t.num}, nil
	case t.is("len"), t.is("length"):
		p.take()
		return &lengthOf{pos: t.pos, end: t.end}, nil
	case t.is("("):
		p.take()
		if err := p.enter(t); err != nil {
			return nil, err
		}
		x, err := p.arithmetic(0)
		p.depth--
		if err != nil {
			return nil, err
		}
		end := p.tok()
		if !end.is(")") {
			return nil, p.unexpected(end, "a closing parenthesis")
		}
		p.take()
		return &parenthesis{pos: t.pos, end: end.end, x: x}, nil
	}
	if c := p.class(); c == wordProtocol || c == wordLink {
		return p.packetData()
	}
	return nil, p.unexpected(t, "a number, "+quote("len")+" or packet data such as "+quote("ip[0]"))
}

// packetData = protocol "[" arithmetic [ ":" number ] "]"
func (p *parser) packetData() (arith, error) {
	t := p.take()
	d := &packetData{pos: t.pos, proto: protocolOf(t)}
	open := p.tok()
	if !open.is("[") {
		return nil, p.unexpected(open, quote("[")+" after "+quote(t.text))
	}
	p.take()
	if err := p.enter(open); err != nil {
		return nil, err
	}
	x, err := p.arithmetic(0)
	p.depth--
	if err != nil {
		return nil, err
	}
	d.at = x
	if p.tok().is(":") {
		p.take()
		if size := p.tok(); size.kind != tokenNumber {
			return nil, p.unexpected(size, "a number of bytes")
		}
		d.size = p.single()
	}
	end := p.tok()
	if !end.is("]") {
		return nil, p.unexpected(end, quote("]"))
	}
	p.take()
	d.end = end.end
	return d, nil
}

// protocolOf returns the name of a protocol keyword that is used as a
// qualifier: all link layers are the one that packets have.
func protocolOf(t token) string {
	if classOf(t.text) == wordLink {
		return "ether"
	}
	return canonical(t.text)
}
