package bpfc

// A domTree is a dominator tree of blocks and of the edges between them: all
// ways to a node lead through its ancestors. An edge is a node of its own, so
// that what is known on it is known in the whole subtree below.
//
// The tree grows in an order in which all ways to a node come before it.
type domTree struct {
	depth  []int32
	parent []int32
	jump   []int32 // an ancestor far away, so that climbing takes log n steps
}

// nowhere is the parent of a node that no way leads to yet.
const nowhere = -1

// newDomTree returns a tree of n nodes, in which node 0 is the root and the
// others are not yet reached.
func newDomTree(n int) *domTree {
	d := &domTree{
		depth:  make([]int32, n),
		parent: make([]int32, n),
		jump:   make([]int32, n),
	}
	for i := range d.parent {
		d.parent[i] = nowhere
	}
	d.parent[0] = 0
	return d
}

// reach tells that a way leads from node p, which is settled, to v.
func (d *domTree) reach(v, p int32) {
	if d.parent[v] == nowhere {
		d.parent[v] = p
	} else {
		d.parent[v] = d.common(d.parent[v], p)
	}
}

// settle tells that no further way leads to v.
func (d *domTree) settle(v int32) {
	p := d.parent[v]
	d.depth[v] = d.depth[p] + 1
	// The skew-binary rule: two jumps of equal length join into one.
	j := d.jump[p]
	if d.depth[p]-d.depth[j] == d.depth[j]-d.depth[d.jump[j]] {
		d.jump[v] = d.jump[j]
	} else {
		d.jump[v] = p
	}
}

// common returns the lowest common ancestor of two nodes.
func (d *domTree) common(a, b int32) int32 {
	if d.depth[a] < d.depth[b] {
		a, b = b, a
	}
	for d.depth[a] > d.depth[b] {
		if d.depth[d.jump[a]] >= d.depth[b] {
			a = d.jump[a]
		} else {
			a = d.parent[a]
		}
	}
	for a != b {
		if d.jump[a] != d.jump[b] {
			a, b = d.jump[a], d.jump[b]
		} else {
			a, b = d.parent[a], d.parent[b]
		}
	}
	return a
}
