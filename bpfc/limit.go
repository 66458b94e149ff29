package bpfc

import (
	"fmt"
	"math"

	"golang.org/x/net/bpf"
)

const (
	// MaxInstructions is the length of the longest program that Linux takes
	// (BPF_MAXINSNS).
	MaxInstructions = 4096
	// NoLimit is a Limit for programs that Match and MatchMeta run. Linux
	// does not take one that is longer than MaxInstructions.
	NoLimit = math.MaxInt
)

// A LimitError says that a program would be longer than Options.Limit. It is
// what errors.As finds in the *Error.
type LimitError struct {
	Limit        int // the instructions that the program can have
	Instructions int // those that it would have
}

// Error returns one line with both numbers.
func (e *LimitError) Error() string {
	return fmt.Sprintf("program has %d instructions, more than the limit of %d", e.Instructions, e.Limit)
}

// Unwrap returns the *LimitError of a program that is too long, else nil.
func (e *Error) Unwrap() error {
	if e.limit == nil {
		return nil
	}
	return e.limit
}

// tooLong is the error for a program of n instructions.
func (c *compilation) tooLong(n, limit int) error {
	e := &LimitError{Limit: limit, Instructions: n}
	hint := "split the expression"
	if limit >= MaxInstructions {
		hint = "Linux takes no longer one; split the expression, or run it outside of the kernel"
	}
	return &Error{
		Kind: KindLimit, Expr: c.expr, Pos: 0, End: len(c.expr),
		Msg: e.Error(), Hint: hint, limit: e,
	}
}

// within returns a program of at most limit instructions that does the same as
// insns. It has shorter search trees where it needs them for that, or for Linux
// to take it.
func (c *compilation) within(limit int, insns []bpf.RawInstruction, v variants) ([]bpf.RawInstruction, error) {
	if limit <= 0 {
		limit = MaxInstructions
	}
	if len(insns) > min(limit, MaxInstructions) {
		small, _ := c.best(v, smallLeaf)
		if small != nil && (len(small) <= MaxInstructions || len(insns) > limit) {
			insns = small
		}
	}
	if len(insns) > limit {
		return nil, c.tooLong(len(insns), limit)
	}
	return insns, nil
}
