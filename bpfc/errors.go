package bpfc

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrNeverMatches is what errors.Is finds in the error for an expression that
// no packet can match, such as "ip and not ip".
var ErrNeverMatches = errors.New("expression rejects all packets")

// A Kind says what sort of fault an expression has.
type Kind uint8

// The kinds of faults.
const (
	KindSyntax       Kind = iota + 1 // the words do not form an expression
	KindUnsupported                  // pcap-filter(7) knows it, this package not
	KindUnknownName                  // no resolver knows the name
	KindRange                        // a number, mask or address is out of range
	KindQualifier                    // the qualifiers do not fit the operand
	KindLinkType                     // the link type is unknown or has no such field
	KindNeverMatches                 // no packet can match, see ErrNeverMatches
	KindLimit                        // text, nesting or program is too large, see LimitError
)

// String returns a short name for the kind.
func (k Kind) String() string {
	switch k {
	case KindSyntax:
		return "syntax"
	case KindUnsupported:
		return "unsupported"
	case KindUnknownName:
		return "unknown name"
	case KindRange:
		return "range"
	case KindQualifier:
		return "qualifier"
	case KindLinkType:
		return "link type"
	case KindNeverMatches:
		return "never matches"
	case KindLimit:
		return "limit"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// An Error is a fault of an expression and the place of it. Every error of
// this package is one.
type Error struct {
	Kind Kind
	Expr string // the whole expression
	Pos  int    // first byte at fault, 0-based
	End  int    // one past the last byte at fault; Pos for the end of the text
	Msg  string // what is wrong
	Hint string // what to write instead, or ""

	limit *LimitError // of a program that is too long
}

// Error returns one line: what is wrong, at which 1-based column (in bytes),
// and the hint.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s at column %d", e.Msg, e.Pos+1)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Is reports whether target is the sentinel error of e's kind.
func (e *Error) Is(target error) bool {
	return target == ErrNeverMatches && e.Kind == KindNeverMatches
}

// Caret returns two lines: the expression, and a line that marks the bytes at
// fault with ^~~~. Bytes that do not print and characters outside ASCII appear
// as escapes, so that the marks stand under what they mean on any terminal. Of
// a long expression, the part around the fault is shown.
func (e *Error) Caret() string {
	begin, end := e.shown()
	var text, marks strings.Builder
	if begin > 0 {
		text.WriteString("...")
		marks.WriteString("   ")
	}
	for i := begin; i < end; {
		shown, n := printable(e.Expr[i:])
		text.WriteString(shown)
		if i < e.Pos {
			marks.WriteString(strings.Repeat(" ", len(shown)))
		} else if i < e.End {
			marks.WriteString(strings.Repeat("~", len(shown)))
		}
		i += n
	}
	if end < len(e.Expr) {
		text.WriteString("...")
	}
	spaces := strings.TrimRight(marks.String(), "~")
	tildes := marks.String()[len(spaces):]
	return text.String() + "\n" + spaces + "^" + strings.TrimPrefix(tildes, "~")
}

// shown is the part of the expression that Caret shows, whole characters.
func (e *Error) shown() (begin, end int) {
	const before, after = 60, 100
	begin, end = max(0, e.Pos-before), min(len(e.Expr), e.Pos+after)
	for begin > 0 && !utf8.RuneStart(e.Expr[begin]) {
		begin--
	}
	for end < len(e.Expr) && !utf8.RuneStart(e.Expr[end]) {
		end++
	}
	return begin, end
}

// printable returns how the first character of s is shown, and how many bytes
// of s it takes.
func printable(s string) (shown string, size int) {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r == '\t':
		return `\t`, n
	case r == '\n':
		return `\n`, n
	case r == '\r':
		return `\r`, n
	case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
		return fmt.Sprintf(`\x%02x`, s[0]), 1
	case r < 0x7f:
		return s[:1], 1
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r), n
	}
	return fmt.Sprintf(`\U%08x`, r), n
}
