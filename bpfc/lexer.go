package bpfc

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxText is the longest expression that is read, in bytes. Ten thousand
// IPv6 hosts fit.
const maxText = 1 << 20

// lex cuts an expression into tokens; the last one is of tokenEnd.
//
// The longest match wins, as in libpcap: "80-90" and "len-14" are one name,
// "1a" is a name, and "10.0.0.1.2" is a name too.
func lex(expr string) ([]token, error) {
	if len(expr) > maxText {
		return nil, &Error{
			Kind: KindLimit, Expr: expr, Pos: maxText, End: len(expr),
			Msg: fmt.Sprintf("expression is longer than %d bytes", maxText),
		}
	}
	l := lexer{expr: expr}
	var tokens []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		if t.kind == tokenEnd {
			return tokens, nil
		}
	}
}

// A lexer holds the place up to which an expression has been cut.
type lexer struct {
	expr string
	pos  int
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	for l.pos < len(l.expr) && isSpace(l.expr[l.pos]) {
		l.pos++
	}
	rest := l.expr[l.pos:]
	if rest == "" {
		return token{kind: tokenEnd, pos: l.pos, end: l.pos}, nil
	}
	c := rest[0]
	if run := span(rest, isAddressByte); strings.Count(run, ":") >= 2 {
		return l.colons(span(rest, func(c byte) bool {
			return isWordByte(c) || c == ':'
		}))
	}
	switch {
	case isAlnum(c):
		return l.word(strings.TrimRight(span(rest, isWordByte), "-_"))
	case c == '\\':
		return l.escaped()
	}
	for _, sign := range []string{"&&", "||", "!=", "==", "<=", ">=", "<<", ">>"} {
		if strings.HasPrefix(rest, sign) {
			return l.take(tokenSign, len(sign)), nil
		}
	}
	if strings.IndexByte("()!/[]:=<>+-*%&|^", c) >= 0 {
		return l.take(tokenSign, 1), nil
	}
	shown, n := printable(rest)
	what := "character"
	if len(shown) != 1 {
		what = "byte or character outside ASCII"
	}
	hint := "names can only hold letters, digits, '-', '_' and '.'"
	return token{}, l.fail(KindSyntax, n, "illegal "+what+" '"+shown+"'", hint)
}

// take returns the next n bytes as a token.
func (l *lexer) take(kind tokenKind, n int) token {
	t := token{
		kind: kind, text: l.expr[l.pos : l.pos+n],
		pos: l.pos, end: l.pos + n,
	}
	l.pos += n
	return t
}

// fail returns an error about the next n bytes.
func (l *lexer) fail(kind Kind, n int, msg, hint string) error {
	return &Error{
		Kind: kind, Expr: l.expr, Pos: l.pos, End: l.pos + n,
		Msg: msg, Hint: hint,
	}
}

// colons classifies a word with two or more colons. As "or" has no byte of an
// address, it can follow without a space.
func (l *lexer) colons(word string) (token, error) {
	word = strings.TrimSuffix(word, "or")
	if _, ok := parseMAC(word); ok {
		return l.take(tokenMAC, len(word)), nil
	}
	if _, err := netip.ParseAddr(word); err == nil {
		return l.take(tokenIPv6, len(word)), nil
	}
	return token{}, l.fail(KindSyntax, len(word),
		quote(word)+" is neither an IPv6 address nor a MAC address", "")
}

// escaped reads a backslash and the word after it.
func (l *lexer) escaped() (token, error) {
	word := span(l.expr[l.pos+1:], func(c byte) bool {
		return c > ' ' && c < 0x7f && c != '!' && c != '(' && c != ')'
	})
	if word == "" {
		return token{}, l.fail(KindSyntax, 1, "no word after the backslash", "")
	}
	t := l.take(tokenEscaped, 1+len(word))
	t.text = word
	return t, nil
}

// word classifies a word without colons.
func (l *lexer) word(word string) (token, error) {
	n := len(word)
	if _, ok := parseMAC(word); ok {
		return l.take(tokenMAC, n), nil // before numbers: all digits can be decimal
	}
	switch {
	case isNumber(word):
		num, err := strconv.ParseUint(word, 0, 32)
		if err == nil {
			t := l.take(tokenNumber, n)
			t.num = uint32(num)
			return t, nil
		}
		if strings.HasSuffix(err.Error(), strconv.ErrRange.Error()) {
			return token{}, l.fail(KindRange, n,
				"number "+word+" does not fit into 32 bits", "")
		}
		return token{}, l.fail(KindSyntax, n,
			"number "+word+" has a digit that is not octal",
			"a leading 0 makes a number octal")
	case isDotted(word):
		return l.take(tokenIPv4, n), nil
	}
	if classOf(word) != wordNone {
		return l.take(tokenKeyword, n), nil
	}
	if num, ok := constantOf(word); ok {
		t := l.take(tokenNumber, n)
		t.num = num
		return t, nil
	}
	return l.take(tokenName, n), nil
}

// isNumber reports whether a word is a number, be it out of range or with
// wrong octal digits.
func isNumber(word string) bool {
	if hex, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok {
		return hex != "" && span(hex, isHex) == hex
	}
	return span(word, isDigit) == word
}

// isDotted reports whether a word is two to four decimal numbers with dots
// between them.
func isDotted(word string) bool {
	parts := strings.Split(word, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return false
	}
	for _, p := range parts {
		if p == "" || span(p, isDigit) != p {
			return false
		}
	}
	return true
}

// parseMAC reads six groups of one or two hexadecimal digits with ':', '-' or
// '.' between them, three groups of four with '.', or twelve digits in a row.
func parseMAC(word string) (mac [6]byte, ok bool) {
	var groups []string
	switch {
	case len(word) == 12 && span(word, isHex) == word:
		for i := 0; i < 12; i += 2 {
			groups = append(groups, word[i:i+2])
		}
	case len(word) == 14 && word[4] == '.' && word[9] == '.':
		for i := 0; i < 14; i += 5 {
			groups = append(groups, word[i:i+2], word[i+2:i+4])
		}
	default:
		i := strings.IndexAny(word, ":-.")
		if i < 0 {
			return mac, false
		}
		groups = strings.Split(word, word[i:i+1])
	}
	if len(groups) != 6 {
		return mac, false
	}
	for i, g := range groups {
		b, err := strconv.ParseUint(g, 16, 8)
		if err != nil || len(g) > 2 || span(g, isHex) != g {
			return mac, false
		}
		mac[i] = byte(b)
	}
	return mac, true
}

// span returns the longest prefix of s whose bytes all satisfy in.
func span(s string, in func(byte) bool) string {
	i := 0
	for i < len(s) && in(s[i]) {
		i++
	}
	return s[:i]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
func isAlnum(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
func isWordByte(c byte) bool    { return isAlnum(c) || c == '-' || c == '_' || c == '.' }
func isAddressByte(c byte) bool { return isHex(c) || c == ':' || c == '.' }
