package bpfc

// maxRounds bounds how often threading is repeated. Each round can make
// blocks equal that were not, and dominators that were none; real filters
// settle in two to four rounds.
const maxRounds = 16

// optimize returns the first block of a smaller and faster program with the
// same verdict on every packet, whole or truncated.
func optimize(root *block) *block {
	root = threadAll(root)
	root = gatherSets(newGraph(), root)
	return threadAll(root)
}

// threadAll threads until nothing changes.
func threadAll(root *block) *block {
	for range maxRounds {
		next, changed := thread(newGraph(), root)
		root = next
		if !changed {
			break
		}
	}
	return root
}
