package bpfc

import "fmt"

// maxDepth bounds how deep parentheses and negations can nest, so that no
// text can exhaust the stack.
const maxDepth = 1000

// Parse returns the syntax tree of an expression in the language of
// pcap-filter(7). Names are not looked up and numbers are not checked against
// their fields: Compile does that. The error is a *Error.
func Parse(expr string) (Expr, error) {
	tokens, err := lex(expr)
	if err != nil {
		return nil, err
	}
	p := parser{expr: expr, tokens: tokens}
	if p.tok().kind == tokenEnd {
		return everything{}, nil
	}
	e, err := p.chain()
	if err != nil {
		return nil, err
	}
	if t := p.tok(); t.kind != tokenEnd {
		return nil, p.unexpectedAfter(t)
	}
	if err := qualify(expr, e); err != nil {
		return nil, err
	}
	return e, nil
}

// A parser walks over the tokens of one expression, by recursive descent.
// Each method reads one rule of the grammar. On entry the next token is the
// first of the rule; on exit it is the first after it.
type parser struct {
	expr   string
	tokens []token
	next   int
	depth  int

	operations int // signs in the relation that is read
}

// tok returns the next token without taking it.
func (p *parser) tok() token { return p.tokens[p.next] }

// take returns the next token and steps over it. The end is never left.
func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

// fail returns an error about the token t.
func (p *parser) fail(kind Kind, t token, msg, hint string) error {
	return &Error{
		Kind: kind, Expr: p.expr, Pos: t.pos, End: t.end, Msg: msg, Hint: hint,
	}
}

// enter counts a level of nesting that begins with t.
func (p *parser) enter(t token) error {
	p.depth++
	if p.depth > maxDepth {
		return p.fail(KindLimit, t,
			fmt.Sprintf("more than %d levels of nesting", maxDepth), "")
	}
	return nil
}

// chain = term { ( "and" | "or" ) term }
func (p *parser) chain() (Expr, error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	c := &chain{terms: []Expr{first}}
	for {
		switch t := p.tok(); {
		case t.is("and"), t.is("&&"):
			c.ops = append(c.ops, opAnd)
		case t.is("or"), t.is("||"):
			c.ops = append(c.ops, opOr)
		case len(c.ops) == 0:
			return first, nil
		default:
			return c, nil
		}
		p.take()
		term, err := p.term()
		if err != nil {
			return nil, err
		}
		c.terms = append(c.terms, term)
	}
}

// term = "not" term | relation | "(" chain ")" | operand | primitive | other
func (p *parser) term() (Expr, error) {
	t := p.tok()
	switch {
	case t.isNot():
		return p.negation()
	case p.beginsRelation():
		return p.relation()
	case t.is("("):
		return p.group()
	case t.isOperand():
		return p.operand()
	case t.kind != tokenKeyword:
		return nil, p.unexpected(t, "an expression")
	}
	switch classOf(t.text) {
	case wordWireless, wordATM, wordSS7, wordFirewall:
		return nil, p.foreign(t)
	case wordLength:
		return p.length()
	case wordByte:
		return p.byteTest()
	case wordCast:
		p.take()
		return &cast{pos: t.pos, end: t.end, word: t.text}, nil
	case wordFlow:
		return p.flow()
	case wordTag:
		return p.encapsulation()
	case wordLLC:
		return p.control()
	case wordProtocol, wordLink, wordDirection, wordType, wordProto:
		return p.primitive()
	}
	return nil, p.unexpected(t, "an expression")
}

// negation = "not" term
func (p *parser) negation() (Expr, error) {
	t := p.take()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	x, err := p.term()
	p.depth--
	if err != nil {
		return nil, err
	}
	return &negation{pos: t.pos, x: x}, nil
}

// group = "(" chain ")"
func (p *parser) group() (Expr, error) {
	open := p.take()
	if err := p.enter(open); err != nil {
		return nil, err
	}
	x, err := p.chain()
	p.depth--
	if err != nil {
		return nil, err
	}
	end := p.tok()
	switch {
	case end.kind == tokenEnd:
		return nil, p.fail(KindSyntax, open, "this parenthesis is never closed", "")
	case !end.is(")"):
		return nil, p.unexpectedAfter(end)
	}
	p.take()
	return &group{pos: open.pos, end: end.end, x: x}, nil
}

// primitive = protocol | qualifiers ( operand | "not" ... | "(" ... ")" )
func (p *parser) primitive() (Expr, error) {
	first := p.tok()
	q, last, err := p.qualifiers()
	if err != nil {
		return nil, err
	}
	t := p.tok()
	if q.dir == dirNone && q.typ == "" {
		switch {
		case p.class() == wordCast:
			p.take()
			return &cast{pos: first.pos, end: t.end, proto: q.proto, word: t.text}, nil
		case p.class() == wordWireless:
			return nil, p.foreign(t)
		case q.proto == "ether":
			return nil, p.unexpected(t, "src, dst, host or proto")
		}
		return &protocol{pos: first.pos, end: first.end, name: q.proto}, nil
	}
	if !t.isNot() && !t.is("(") && !t.isOperand() {
		return nil, p.unexpected(t, operandOf(q, last))
	}
	operand := p.term
	if t.isOperand() {
		operand = p.operand // a number is no start of a relation here
	}
	x, err := operand()
	if err != nil {
		return nil, err
	}
	return &qualified{pos: first.pos, q: q, x: x}, nil
}

// qualifiers = [ protocol ] [ direction ] [ type ], at least one of them. It
// also returns the last of them.
func (p *parser) qualifiers() (q qualifiers, last token, err error) {
	if c := p.class(); c == wordProtocol || c == wordLink {
		last = p.take()
		q.proto = protocolOf(last)
	}
	if p.class() == wordDirection {
		q.dir, last = p.direction()
	}
	switch p.class() {
	case wordType:
		last = p.take()
		q.typ = last.text
	case wordProto:
		last = p.take()
		q.typ = last.text
		if q.dir != dirNone {
			return q, last, p.fail(KindSyntax, last,
				quote(q.typ)+" cannot have a direction", "")
		}
	}
	return q, last, nil
}

// class returns the class of the next token.
func (p *parser) class() wordClass {
	if t := p.tok(); t.kind == tokenKeyword {
		return classOf(t.text)
	}
	return wordNone
}

// direction = "src" | "dst" | "src" ( "or" | "and" ) "dst" | the other way.
// It also returns the last token.
func (p *parser) direction() (direction, token) {
	first := p.take()
	dir := dirSrc
	if first.text == "dst" {
		dir = dirDst
	}
	op := p.tok()
	or := op.is("or") || op.is("||")
	if !or && !op.is("and") && !op.is("&&") {
		return dir, first
	}
	// After "src", an operator can only belong to the direction.
	second := p.tokens[p.next+1]
	if !second.is("src") && !second.is("dst") || second.text == first.text {
		return dir, first
	}
	p.take()
	p.take()
	if or {
		return dirEither, second
	}
	return dirBoth, second
}

// operand = single | ipv4 "/" bits | ipv6 "/" bits | ipv4 "mask" ipv4
func (p *parser) operand() (Expr, error) {
	o := p.single()
	switch t := p.tok(); {
	case t.is("/"):
		p.take()
		if o.kind != tokenIPv4 && o.kind != tokenIPv6 {
			return nil, p.slashAfter(o, t)
		}
		bits := p.tok()
		if bits.kind != tokenNumber {
			return nil, p.unexpected(bits, "a prefix length")
		}
		most := uint32(32)
		if o.kind == tokenIPv6 {
			most = 128
		}
		if bits.num > most {
			return nil, p.fail(KindRange, bits,
				fmt.Sprintf("prefix length %s is greater than %d", bits.text, most), "")
		}
		p.take()
		o.bits, o.end = int(bits.num), bits.end
	case t.is("mask"):
		p.take()
		if o.kind != tokenIPv4 {
			return nil, p.fail(KindSyntax, t,
				quote("mask")+" must follow a dotted IPv4 network", "")
		}
		mask := p.tok()
		if mask.kind != tokenIPv4 {
			return nil, p.unexpected(mask, "a dotted IPv4 mask")
		}
		p.take()
		o.mask, o.end = mask.text, mask.end
	}
	return o, nil
}

// single takes the next token, which must be an operand, by itself.
func (p *parser) single() *operand {
	t := p.take()
	return &operand{
		pos: t.pos, end: t.end, kind: t.kind, text: t.text, num: t.num, bits: -1,
	}
}
