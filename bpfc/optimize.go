package bpfc

// maxRounds bounds how often threading is repeated. A round can make blocks
// equal that were not, and so bring ways together; most filters settle in
// two rounds.
const maxRounds = 8

// The number of members that a search tree compares one by one. The first
// makes programs fast; the second, for programs that are too long with the
// first, makes them short.
const (
	fastLeaf  = 4
	smallLeaf = 64
)

// optimize returns the first block of a smaller and faster program with the
// same verdict on every packet, whole or truncated.
func optimize(root *block, leaf int) *block {
	root = foldAll(root)
	root = threadAll(root)
	root = gatherSets(newGraph(), root, leaf)
	return threadAll(root)
}

// threadAll threads until nothing changes, or nothing becomes smaller.
func threadAll(root *block) *block {
	size := 0
	for range maxRounds {
		g := newGraph()
		next, changed := thread(g, root)
		root = next
		if !changed || g.blocks == size {
			break
		}
		size = g.blocks
	}
	return root
}
