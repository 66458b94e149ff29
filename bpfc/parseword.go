package bpfc

// length = ( "less" | "greater" ) number
func (p *parser) length() (Expr, error) {
	word := p.take()
	n, err := p.number("a number of bytes")
	if err != nil {
		return nil, err
	}
	return &length{pos: word.pos, greater: word.text == "greater", n: n}, nil
}

// number takes a number; want says what it would mean.
func (p *parser) number(want string) (*operand, error) {
	t := p.tok()
	if t.kind != tokenNumber {
		return nil, p.unexpected(t, want)
	}
	return p.single(), nil
}

// byteTest = "byte" number ( "=" | "<" | ">" | "&" | "|" ) number
func (p *parser) byteTest() (Expr, error) {
	word := p.take()
	at, err := p.number("the number of a byte")
	if err != nil {
		return nil, err
	}
	op := p.tok()
	switch op.text {
	case "=", "==", "<", ">", "&", "|":
		p.take()
	default:
		return nil, p.unexpected(op, "one of "+quote("= < > & |"))
	}
	k, err := p.number("a number to compare with")
	if err != nil {
		return nil, err
	}
	return &byteTest{pos: word.pos, at: at, op: op.text, k: k}, nil
}

// flow = "inbound" | "outbound" | "ifindex" number
func (p *parser) flow() (Expr, error) {
	word := p.take()
	f := &flow{pos: word.pos, end: word.end, word: word.text}
	if word.text == "ifindex" {
		n, err := p.number("the number of an interface")
		if err != nil {
			return nil, err
		}
		f.n, f.end = n, n.end
	}
	return f, nil
}

// encapsulation = "pppoed" | ( "vlan" | "mpls" ... ) [ number | "(" number ")" ]
func (p *parser) encapsulation() (Expr, error) {
	word := p.take()
	e := &encapsulation{pos: word.pos, end: word.end, word: word.text}
	if word.text == "pppoed" {
		return e, nil
	}
	open := 0
	for p.tok().is("(") {
		if err := p.enter(p.take()); err != nil {
			return nil, err
		}
		open++
	}
	if open == 0 && p.tok().kind != tokenNumber {
		return e, nil
	}
	n, err := p.number("a number after " + quote(word.text))
	if err != nil {
		return nil, err
	}
	e.n, e.end = n, n.end
	for ; open > 0; open-- {
		t := p.tok()
		if !t.is(")") {
			return nil, p.unexpected(t, "a closing parenthesis")
		}
		p.take()
		p.depth--
		e.end = t.end
	}
	return e, nil
}

// control = "llc" [ name | "rnr" ]
func (p *parser) control() (Expr, error) {
	word := p.take()
	c := &control{pos: word.pos, end: word.end}
	t := p.tok()
	if t.kind == tokenName || t.kind == tokenEscaped || t.is("rnr") {
		c.kind = p.single()
		c.end = t.end
	}
	return c, nil
}
