package bpfc

// unexpected returns the error for a token where something else should stand.
func (p *parser) unexpected(t token, want string) error {
	hint := ""
	switch {
	case t.is(")") && want == "an expression":
		return p.fail(KindSyntax, t, "nothing stands before this parenthesis", "")
	case p.next > 0 && (isArithmetic(t) || isRelation(t)) && p.tokens[p.next-1].kind == tokenKeyword &&
		classOf(p.tokens[p.next-1].text) == wordProtocol:
		name := p.tokens[p.next-1].text
		hint = "did you mean a byte of the header, as in " + quote(name+"[0]") + "?"
	case t.kind == tokenKeyword && (classOf(t.text) == wordDirection || classOf(t.text) == wordType ||
		classOf(t.text) == wordProtocol && p.next > 0 && classOf(p.tokens[p.next-1].text) == wordDirection):
		hint = "qualifiers stand in the order of " + quote("tcp src port 80")
	case t.kind == tokenKeyword && classOf(t.text) == wordOperator:
	case t.kind == tokenKeyword && want != "an expression":
		hint = "to use " + quote(t.text) + " as a name, write " + quote(`\`+t.text)
	}
	return p.fail(KindSyntax, t, "expected "+want+", not "+t.describe(), hint)
}

// foreign returns the error for a word that belongs to other link types.
func (p *parser) foreign(t token) error {
	what := "802.11 wireless packets"
	switch classOf(t.text) {
	case wordATM:
		what = "ATM cells"
	case wordSS7:
		what = "SS7 signalling"
	case wordFirewall:
		return p.fail(KindUnsupported, t, quote(t.text)+" is about the log of the firewall pf", "")
	}
	return p.fail(KindLinkType, t, quote(t.text)+" is about "+what, "")
}

// unexpectedAfter returns the error for the next token, t, which comes after
// a whole expression.
func (p *parser) unexpectedAfter(t token) error {
	before := p.tokens[p.next-1]
	hint := ""
	switch {
	case t.is(")"):
		return p.fail(KindSyntax, t, "this parenthesis was never opened", "")
	case p.isMisspelt(p.next - 1):
		return p.fail(KindSyntax, before, quote(before.text)+" is no keyword",
			didYouMean(before.text))
	case t.kind == tokenKeyword && classOf(t.text).isForeign():
		return p.foreign(t)
	case t.kind == tokenName && nearestKeyword(t.text) != "":
		hint = didYouMean(t.text)
	case t.isOperand() && classOf(before.text) == wordProtocol:
		hint = protocolHint(before.text, t)
	case t.isOperand(), t.kind == tokenKeyword, t.is("("), t.isNot():
		hint = "join expressions with " + quote("and") + " or " + quote("or")
	case t.kind == tokenSign:
		return p.unexpected(t, "an operator")
	}
	return p.fail(KindSyntax, t,
		"unexpected "+t.describe()+" after "+quote(before.text), hint)
}

// isMisspelt reports whether token i looks like a keyword with a slip in it,
// rather than like a name after a qualifier.
func (p *parser) isMisspelt(i int) bool {
	t := p.tokens[i]
	if t.kind != tokenName || nearestKeyword(t.text) == "" {
		return false
	}
	if i == 0 {
		return true
	}
	before := p.tokens[i-1]
	return before.kind == tokenKeyword && classOf(before.text) == wordOperator ||
		before.kind == tokenSign
}

// protocolHint proposes the qualifier that was left out in "tcp 80".
func protocolHint(proto string, t token) string {
	missing := ""
	switch {
	case t.kind == tokenNumber && (proto == "tcp" || proto == "udp" || proto == "sctp"):
		missing = "port"
	case t.kind == tokenIPv4 && (proto == "ip" || proto == "arp" || proto == "rarp"),
		t.kind == tokenIPv6 && proto == "ip6":
		missing = "host"
	case t.kind == tokenNumber && (proto == "ip" || proto == "ip6"):
		missing = "proto"
	default:
		return "join expressions with " + quote("and") + " or " + quote("or")
	}
	return "did you mean " + quote(proto+" "+missing+" "+t.text) + "?"
}

// slashAfter returns the error for a "/" after something that is no address.
func (p *parser) slashAfter(o *operand, slash token) error {
	hint := ""
	if bits := p.tok(); o.kind == tokenNumber && o.num < 256 && bits.kind == tokenNumber {
		hint = "did you mean " + quote("net "+o.text+".0.0.0/"+bits.text) + "?"
	}
	return p.fail(KindSyntax, slash,
		"a prefix length must follow a dotted or an IPv6 address", hint)
}

// operandOf says what the qualifiers q, of which last is the last, call for.
func operandOf(q qualifiers, last token) string {
	want := "an address or a name"
	switch q.typ {
	case "net":
		want = "a network"
	case "port":
		want = "a port"
	case "portrange":
		want = "a range of ports"
	case "proto", "protochain":
		want = "a protocol number"
	case "gateway":
		want = "the name of a host"
	}
	return want + " after " + quote(last.text)
}
