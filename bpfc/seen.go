package bpfc

// A seen is what libpcap's optimizer sees of a test.
//
// A relation such as "ip[9] = 6" calculates in scratch memory. In the first
// round it is the difference of both sides that is compared with 0; from then
// on the left side is compared with the number, but it is another value than
// that of "proto 6", as it was loaded in another way.
type seen struct {
	test
	written bool // of a relation
	differs bool // a difference is compared
}

// seen returns what is seen of the test of a block in the first round, or in
// later ones. If it is turned, the opposite of the test is seen.
func (b *block) seen(firstRound bool) (s seen, turned bool) {
	s = seen{test: b.test, written: b.written && b.test.v.from != fromLength}
	switch {
	case b.test.rel != relEqual:
	case b.written:
		s.differs = firstRound
	case b.test.k == 0 && b.test.v.mask != allOnes:
		// One instruction asks for bits. It becomes one behind that which
		// masks the value, which then is no more.
		s.rel, s.k = relAnyBit, b.test.v.mask
		if !firstRound && s.k != 0 {
			s.v = s.v.whole()
		}
		return s, true
	}
	return s, false
}

// sameA reports whether libpcap's programs have the same in A for two tests.
func (s seen) sameA(t seen) bool {
	return s.v == t.v && s.written == t.written && s.differs == t.differs && (!s.differs || s.k == t.k)
}

// settled returns the result of a test that is the same for all packets, if
// it is seen to be.
func (s seen) settled() (result, ok bool) {
	if s.differs || s.written && s.v.from != fromNothing {
		return false, false
	}
	return s.test.settled()
}
