package bpfc

import "slices"

// maxMoved bounds the blocks of programs whose branches are moved: what it
// takes grows with the square of their number.
const maxMoved = 1200

// maxMoves bounds the rounds. A few expressions would never come to rest.
const maxMoves = 40

// moveBranches leads edges past tests that are decided, as fold does, and
// tests earlier what is in A already, until nothing changes. It does in the
// same order what the optimizer of libpcap does, so that it finds the same
// tests to be without effect. It returns the first block of a new program, and
// whether that was seen to end the program.
//
// Rarely, libpcap's optimizer moves a test past which another way leads, and
// the program decides otherwise. Such moves are left out then.
func moveBranches(root *block, sets *setTable) (next *block, ends bool) {
	if root.returns() {
		return root, true
	}
	m := newMover(root)
	next, ends = m.run()
	if m.doubtful && !seemEqual(root, next, sets) {
		m = newMover(root)
		m.strict = true
		next, ends = m.run()
	}
	return next, ends
}

// run moves branches until nothing changes. It returns the first block, and
// whether that was seen to end the program.
func (m *mover) run() (root *block, ends bool) {
	for round := range maxMoves {
		m.moved = false
		m.look(round == 0)
		m.survey()
		for _, level := range m.levels[1:] {
			for _, n := range level {
				m.fold(n)
			}
		}
		m.findEdges()
		for _, level := range m.levels[1:] {
			for _, n := range level {
				m.pullUp(n, true)
				m.pullUp(n, false)
			}
		}
		if !m.moved {
			break
		}
	}
	first := m.root
	for !first.returns() && first.to[0] == first.to[1] {
		first = first.to[0]
	}
	return m.build(), first.returns()
}

// A mover is a program whose edges can be changed.
type mover struct {
	nodes  []mobile
	root   *mobile
	levels [][]*mobile // by the longest way to the end
	moved  bool
	stale  bool // edges have moved since dominate

	strict   bool // tests move only where no other way leads
	doubtful bool // one has moved elsewhere
}

// A mobile is a block that can be moved.
type mobile struct {
	place  int
	source *block
	seen   seen
	turned bool       // the opposite is seen: the edges are exchanged
	to     [2]*mobile // where it goes if the test fails, and if it holds

	level   int
	above   bitset      // the nodes on all ways to this one, and itself
	edges   [2]outcome  // of its test
	known   [2]*outcome // on the edges, and before them
	before  *outcome
	reached bool      // by an edge
	into    []*mobile // the nodes with an edge to this one, as often as they have one
	entries int       // the edges to this one, without those from nodes that none leads to
	alive   bool      // some edge leads to the node
	built   *block
}

// A bitset is a set of small numbers.
type bitset []uint64

func newMover(root *block) *mover {
	order := inOrder(root)
	at := places(order)
	m := &mover{nodes: make([]mobile, len(order))}
	words := len(order)/64 + 1
	all := make(bitset, words*len(order))
	for i, b := range order {
		n := &m.nodes[i]
		n.place, n.source = i, b
		n.above = all[i*words : (i+1)*words]
		if !b.returns() {
			n.to = [2]*mobile{&m.nodes[at[b.no.id]], &m.nodes[at[b.yes.id]]}
			if _, n.turned = b.seen(true); n.turned {
				n.to[0], n.to[1] = n.to[1], n.to[0]
			}
		}
	}
	m.root = &m.nodes[0]
	return m
}

// returns reports whether the node ends the program.
func (n *mobile) returns() bool { return n.to[0] == nil }

// look notes what is seen of each node.
func (m *mover) look(firstRound bool) {
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.returns() {
			continue
		}
		n.seen, _ = n.source.seen(firstRound)
		if result, ok := n.seen.settled(); ok && !n.source.loads() && n.to[0] != n.to[1] {
			if result {
				n.to[0] = n.to[1]
			} else {
				n.to[1] = n.to[0]
			}
			m.moved = true
		}
		m.moved = m.moved || n.seen.differs
	}
}

// survey finds the levels, and what is known on all edges.
func (m *mover) survey() {
	for i := range m.nodes {
		n := &m.nodes[i]
		n.level, n.reached, n.before, n.into = -1, false, nil, n.into[:0]
		n.known = [2]*outcome{}
	}
	for i := range m.levels {
		m.levels[i] = m.levels[i][:0]
	}
	m.rise(m.root)
	for _, level := range m.levels {
		slices.Reverse(level)
	}
	m.stale = true
	m.root.reached = true
	for i := len(m.levels) - 1; i >= 0; i-- {
		for _, n := range m.levels[i] {
			if n.returns() {
				continue
			}
			for side, to := range n.to {
				n.known[side] = n.before
				if !n.source.loads() {
					n.edges[side] = n.before.then(n.seen, side == 1)
					n.known[side] = &n.edges[side]
				}
				if !to.reached {
					to.reached = true
					to.before = n.known[side]
					continue
				}
				to.before = to.before.meet(n.known[side])
			}
		}
	}
}

// dominate finds, for each node, the nodes on all ways to it. As in libpcap, it
// looks at the nodes by the levels that they had before edges moved.
func (m *mover) dominate() {
	for i := range m.nodes {
		for j := range m.nodes[i].above {
			m.nodes[i].above[j] = ^uint64(0)
		}
	}
	clear(m.root.above)
	for i := len(m.levels) - 1; i >= 0; i-- {
		for _, n := range m.levels[i] {
			n.above[n.place/64] |= 1 << (n.place % 64)
			if n.returns() {
				continue
			}
			for _, to := range n.to {
				for i, w := range n.above {
					to.above[i] &= w
				}
			}
		}
	}
	m.stale = false
}

// rise puts n and what it leads to into their levels, the latest first.
func (m *mover) rise(n *mobile) {
	if n.level >= 0 {
		return
	}
	n.level = 0
	if !n.returns() {
		m.rise(n.to[1])
		m.rise(n.to[0])
		n.level = 1 + max(n.to[0].level, n.to[1].level)
	}
	for len(m.levels) <= n.level {
		m.levels = append(m.levels, nil)
	}
	m.levels[n.level] = append(m.levels[n.level], n)
}

// fold leads the edges of n past what is known on them.
func (m *mover) fold(n *mobile) {
	for side := range n.to {
		if to := n.to[1-side]; !to.returns() && to.to[0] == to.to[1] && !to.source.loads() {
			n.to[1-side] = to.to[0]
			m.moved = true
		}
		for {
			to := n.to[1-side]
			next := n.known[1-side].passMobile(to)
			if next == to {
				break
			}
			n.to[1-side] = next
			m.moved = true
		}
	}
}

// passMobile is pass for a node.
func (o *outcome) passMobile(n *mobile) *mobile {
	if n.returns() || n.source.loads() {
		return n
	}
	if result, ok := o.tells(n.seen); ok {
		if result {
			return n.to[1]
		}
		return n.to[0]
	}
	return n
}

// findEdges notes for every node from where edges lead to it.
func (m *mover) findEdges() {
	for i := range m.nodes {
		m.nodes[i].alive, m.nodes[i].entries = false, 0
	}
	m.root.enter()
	for i := len(m.levels) - 1; i > 0; i-- {
		for _, n := range m.levels[i] {
			n.to[1].into = append(n.to[1].into, n)
			n.to[0].into = append(n.to[0].into, n)
		}
	}
}

// enter counts the entries of the nodes that n leads to.
func (n *mobile) enter() {
	n.entries++
	if n.alive {
		return
	}
	n.alive = true
	if !n.returns() {
		n.to[0].enter()
		n.to[1].enter()
	}
}

// enteredBy reports whether no edges lead to n but those that are noted.
func (n *mobile) enteredBy(noted []*mobile) bool {
	entries := 0
	for _, p := range noted {
		if p.to[0] != n && p.to[1] != n {
			return false
		}
		if p.alive {
			entries++
		}
	}
	return entries == n.entries
}

// pullUp looks at the row of tests that begins with n, of which each is made
// if the one before it had the other result, and which all lead to one node
// if they have the result. A test of the value that is in A before the row
// moves to where a test of another value begins.
func (m *mover) pullUp(n *mobile, result bool) {
	hit, next := 1, 0
	if !result {
		hit, next = 0, 1
	}
	if len(n.into) == 0 || n.returns() {
		return
	}
	first := n.into[len(n.into)-1] // the latest
	in := first.seen
	for _, p := range n.into {
		if !p.seen.sameA(in) {
			return
		}
	}
	within := func(p *mobile) bool {
		if p.returns() || p.to[hit] != n.to[hit] {
			return false
		}
		if m.stale {
			m.dominate()
		}
		return p.above[n.place/64]>>(n.place%64)&1 != 0
	}
	top, doubtful := true, false
	different := &first.to[0]
	if first.to[1] == n {
		different = &first.to[1]
	}
	for {
		if !within(*different) {
			return
		}
		doubtful = doubtful || !top && (*different).entries > 1
		if !(*different).seen.sameA(in) {
			break
		}
		different, top = &(*different).to[next], false
	}
	same := &(*different).to[next]
	for {
		if !within(*same) {
			return
		}
		doubtful = doubtful || (*same).entries > 1
		if (*same).seen.sameA(in) {
			break
		}
		same = &(*same).to[next]
	}
	doubtful = doubtful || top && !n.enteredBy(n.into)
	if doubtful && m.strict {
		return
	}
	m.doubtful = m.doubtful || doubtful
	pulled := *same
	*same = pulled.to[next]
	pulled.to[next] = *different
	m.moved, m.stale = true, true
	if !top {
		*different = pulled
		return
	}
	pulled.entries, n.entries = n.entries, 1
	for _, p := range n.into {
		if p.to[1] == n {
			p.to[1] = pulled
		} else {
			p.to[0] = pulled
		}
	}
}

// build returns the first block of the program.
func (m *mover) build() *block {
	g := newScatter()
	return m.root.build(g)
}

func (n *mobile) build(g *graph) *block {
	switch {
	case n.built != nil:
	case n.returns():
		n.built = g.end(n.source)
	case n.source.loads():
		n.built = g.load(n.source.test.v, n.to[0].build(g))
	case n.to[0] == n.to[1]:
		n.built = n.to[0].build(g)
	default:
		no, yes := n.to[0].build(g), n.to[1].build(g)
		t := n.source.test
		if n.turned {
			no, yes = yes, no
		}
		if no == yes {
			n.built = g.load(t.v, no)
			break
		}
		if n.source.written && t.rel == relEqual && t.k == 0 && t.v.mask != allOnes {
			t = test{t.v.whole(), relAnyBit, t.v.mask} // without masking
			yes, no = no, yes
		}
		n.built = g.branch(t, yes, no)
	}
	return n.built
}
