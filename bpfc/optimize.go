package bpfc

// maxRounds bounds how often threading is repeated. A round can make blocks
// equal that were not, and so bring ways together; most filters settle in
// two rounds.
const maxRounds = 8

// optimize returns the first block of a smaller and faster program with the
// same verdict on every packet, whole or truncated.
func optimize(root *block) *block {
	root = threadAll(root)
	root = gatherSets(newGraph(), root)
	return threadAll(root)
}

// threadAll threads until nothing changes, or nothing becomes smaller.
func threadAll(root *block) *block {
	size := 0
	for range maxRounds {
		g := newGraph()
		next, changed := thread(g, root)
		root = next
		if !changed || len(g.made) == size {
			break
		}
		size = len(g.made)
	}
	return root
}
