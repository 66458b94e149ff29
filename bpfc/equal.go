package bpfc

import "math/rand/v2"

// trials is how many packets seemEqual tries.
const trials = 1000

// seemEqual reports whether two programs decide alike on packets that are long
// enough for both. It tries packets whose fields are mostly what tests ask for.
func seemEqual(a, b *block, sets *setTable) bool {
	t := trial{sets: sets, asked: make(map[value][]uint32), r: rand.New(rand.NewPCG(1, 1))}
	t.ask(a)
	for range trials {
		t.fields = make(map[value]uint32, len(t.asked))
		if t.run(a) != t.run(b) {
			return false
		}
	}
	return true
}

// A trial is a packet that is made up while programs look at it.
type trial struct {
	sets   *setTable
	asked  map[value][]uint32 // the numbers that fields are compared with
	fields map[value]uint32   // without masks
	r      *rand.Rand
}

// ask notes what fields are compared with.
func (t *trial) ask(root *block) {
	for _, b := range inOrder(root) {
		if b.returns() {
			continue
		}
		v := b.test.v.whole()
		if b.test.rel != relMember {
			t.asked[v] = append(t.asked[v], b.test.k)
			continue
		}
		for _, in := range t.sets.sets[b.test.k] {
			t.asked[v] = append(t.asked[v], in.lo, in.hi)
		}
	}
}

// run returns the verdict of a program.
func (t *trial) run(b *block) (accept bool) {
	for !b.returns() {
		b = b.target(t.holds(b.test))
	}
	return b.accept
}

// holds returns the result of a test.
func (t *trial) holds(test test) bool {
	n := t.field(test.v.whole()) & test.v.mask
	switch test.rel {
	case relGreaterX, relGreaterEqualX:
		return n&1 != 0
	case relMember:
		return len(t.sets.sets[test.k].within(interval{n, n})) > 0
	}
	return test.rel.holds(n, test.k)
}

// field returns the number in a field.
func (t *trial) field(v value) uint32 {
	n, ok := t.fields[v]
	if ok {
		return n
	}
	numbers := t.asked[v]
	if len(numbers) > 0 {
		n = numbers[t.r.IntN(len(numbers))]
	}
	switch t.r.IntN(8) {
	case 0:
		n++
	case 1:
		n = t.r.Uint32()
	}
	n &= v.max()
	t.fields[v] = n
	return n
}
