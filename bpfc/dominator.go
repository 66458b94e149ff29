package bpfc

// A domTree is the dominator tree of a program's blocks and edges. Every edge
// is a node of its own: what is known on an edge is known in the whole
// subtree below it.
//
// Node i < n is block i of the order; node n+2i is the edge for yes of block
// i and node n+2i+1 the edge for no.
type domTree struct {
	n      int
	depth  []int32
	parent []int32
	jump   []int32 // an ancestor far away, so that climbing takes log n steps
}

// dominators builds the tree. As programs only jump forward, the parent of a
// block is known once all blocks before it are in the tree: it is the lowest
// common ancestor of the edges into it.
func dominators(order []*block) *domTree {
	n := len(order)
	d := &domTree{
		n:      n,
		depth:  make([]int32, 3*n),
		parent: make([]int32, 3*n),
		jump:   make([]int32, 3*n),
	}
	at := places(order)
	const unknown = -1
	for i := range d.parent {
		d.parent[i] = unknown
	}
	d.parent[0] = 0
	for i, b := range order {
		if i > 0 {
			d.hang(int32(i), d.parent[i])
		}
		if b.returns() {
			continue
		}
		for side, to := range [2]*block{b.yes, b.no} {
			edge := int32(n + 2*i + side)
			d.hang(edge, int32(i))
			j := at[to]
			if d.parent[j] == unknown {
				d.parent[j] = edge
			} else {
				d.parent[j] = d.common(d.parent[j], edge)
			}
		}
	}
	return d
}

// hang makes v a child of p, whose place is settled.
func (d *domTree) hang(v, p int32) {
	d.parent[v] = p
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

// children returns the nodes below each node: edges first, then blocks in
// their order.
func (d *domTree) children() [][]int32 {
	below := make([][]int32, len(d.parent))
	hang := func(from, to int) {
		for v := from; v < to; v++ {
			if p := d.parent[v]; p >= 0 {
				below[p] = append(below[p], int32(v))
			}
		}
	}
	hang(d.n, len(d.parent))
	hang(1, d.n)
	return below
}
