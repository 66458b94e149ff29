package bpfc

// A token is one word or sign of an expression.
type token struct {
	kind     tokenKind
	text     string // as written; without the backslash for tokenEscaped
	num      uint32 // value of a tokenNumber
	pos, end int    // its bytes, half-open
}

type tokenKind uint8

const (
	tokenEnd     tokenKind = iota // end of the text
	tokenKeyword                  // a word of the language
	tokenName                     // any other word
	tokenEscaped                  // a word after a backslash: never a keyword
	tokenNumber                   // decimal, 0octal or 0xhex
	tokenIPv4                     // two to four dotted numbers
	tokenIPv6
	tokenMAC
	tokenSign // one of ( ) / ! and the signs of arithmetic
)

// is reports whether the token is the keyword or sign text.
func (t token) is(text string) bool {
	return (t.kind == tokenKeyword || t.kind == tokenSign) && t.text == text
}

// isNot reports whether the token negates.
func (t token) isNot() bool { return t.is("not") || t.is("!") }

// isOperand reports whether the token can be what a qualifier qualifies.
func (t token) isOperand() bool {
	switch t.kind {
	case tokenName, tokenEscaped, tokenNumber, tokenIPv4, tokenIPv6, tokenMAC:
		return true
	}
	return false
}

// describe names the token for an error message.
func (t token) describe() string {
	if t.kind == tokenEnd {
		return "the end of the expression"
	}
	return quote(t.text)
}

// quote marks words of the language inside a message.
func quote(s string) string { return "`" + s + "`" }
