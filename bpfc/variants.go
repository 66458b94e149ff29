package bpfc

import "golang.org/x/net/bpf"

// A variants is the first blocks of programs that do the same. Which of them
// is best shows only in the end: what one pass gains can be what parts of a
// program would have shared.
type variants struct {
	fast  []*block // with all optimizations
	plain []*block // with those of libpcap and few others
}

// maxLonger is by how many hundredths of its length a fast program can be
// longer than a plain one.
const maxLonger = 7

// maxUnordered is up to how many blocks a program is tried with its tests in the
// order of the text, in which rows of them can have more in common.
const maxUnordered = 40

// optimize returns the variants of an optimized program. Long lists are merged
// in them, unless libpcap's optimizer could know something about their operands
// from other tests, and would not take too long to imitate.
func (c *compilation) optimize() (v variants, err error) {
	l := lister{sets: &c.sets, keeps: c.care >= careGeneve}
	f := c.formula
	if c.care != careChain {
		if merged := l.lists(f); l.alone || l.merged && testsIn(f, maxMoved) > maxMoved {
			f = merged
		}
	}
	if err := c.addVariants(&v, f, choiceOfPlace, l.alone); err != nil {
		return v, err
	}
	if c.parts {
		// It can be too large where the one before is not.
		_ = c.addVariants(&v, f, choiceOfPart, l.alone)
	}
	return v, nil
}

// addVariants adds the variants of a formula, of which one kind of choices are
// single tests at first. A list that is alone has fewer of them.
func (c *compilation) addVariants(v *variants, f formula, chooses choiceKind, alone bool) error {
	root, err := c.blocks(f, true, chooses)
	if err != nil {
		return err
	}
	plain, exact := c.settle(root)
	root = threadAll(plain, &c.sets)
	if len(c.choices) > 0 {
		if root, err = c.expanded(root); err != nil {
			return err
		}
		if plain, err = c.expanded(plain); err != nil {
			return err
		}
		root = threadAll(root, &c.sets)
	}
	v.fast = append(v.fast, optimize(root, &c.sets, c.care, exact)...)
	if alone {
		return nil // nothing contradicts it
	}
	if root.id <= maxUnordered {
		v.plain = append(v.plain, shareTwins(root, &c.sets, false))
	}
	if plain.id <= maxMoved && (c.care > careUsual || len(inOrder(root)) > len(inOrder(sharing(plain)))) {
		c.addPlain(v, plain)
	}
	return nil
}

// addPlain adds the plain variants of a program.
func (c *compilation) addPlain(v *variants, root *block) {
	root = sharing(root)
	v.plain = append(v.plain, arrange(root, &c.sets, c.care)...)
	v.plain = append(v.plain, shareTwins(root, &c.sets, c.care >= careFork))
}

// sharing returns the program with equal blocks as one.
func sharing(root *block) *block { return dropLoads(newGraph(), root) }

// settle is settle for a program that begins as the formula does.
func (c *compilation) settle(root *block) (next *block, exact bool) {
	start, _ := first(c.formula)
	return settle(root, start, c.care, &c.sets)
}

// expanded returns the program with the formulas of choices.
func (c *compilation) expanded(root *block) (*block, error) {
	root, ok := expandChoices(root, c.choices, c.settled)
	if !ok {
		return nil, c.tooLarge()
	}
	return root, nil
}

// settled returns the first block of a program for a part of the formula. It is
// not ok if there would be too many blocks.
func (c *compilation) settled(f formula) (root *block, ok bool) {
	root, err := c.blocks(f, true, noChoice)
	if err != nil {
		return nil, false
	}
	root, _ = settle(root, value{}, c.care, &c.sets)
	return root, true
}

// best returns the instructions of the best variant and its first block: of
// the shortest fast one, unless it is much longer than a plain one. There are
// none if all are too large.
func (c *compilation) best(v variants, leaf int) (insns []bpf.RawInstruction, root *block) {
	insns, root = c.shortest(v.fast, leaf)
	plain, plainRoot := c.shortest(v.plain, leaf)
	if plain != nil && validate(plain) == nil &&
		(insns == nil || 100*len(insns) > (100+maxLonger)*len(plain)) {
		return plain, plainRoot
	}
	return insns, root
}

// shortest returns the shortest of some programs and its first block. What
// the kernel would refuse does not count, except the first: an index stored
// before a return that stands between other instructions seems to be unknown
// behind it.
func (c *compilation) shortest(roots []*block, leaf int) (insns []bpf.RawInstruction, root *block) {
	for _, r := range roots {
		first, ok := expand(r, &c.sets, leaf)
		if !ok {
			continue
		}
		p := c.layout(first, true)
		if insns == nil || len(p) < len(insns) && validate(p) == nil {
			insns, root = p, r
		}
	}
	return insns, root
}
