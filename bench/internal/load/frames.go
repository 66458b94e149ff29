package load

// Frames are all frames of one run, each told by its number.
type Frames struct {
	turn    [][]byte // one for each of the sizes, numbered 0
	largest []byte
}

// NewFrames makes the frames of a run whose sizes take turns.
func NewFrames(sizes []int, run uint32) *Frames {
	f := new(Frames)
	bySize := map[int][]byte{}
	for _, size := range sizes {
		if bySize[size] == nil {
			bySize[size] = newFrame(size, run)
		}
		f.turn = append(f.turn, bySize[size])
		if size > len(f.largest) {
			f.largest = bySize[size]
		}
	}
	return f
}

// Frame makes frame n.
func (f *Frames) Frame(n uint32) []byte {
	frame := append([]byte(nil), f.model(n)...)
	setSequence(frame, n)
	return frame
}

// model is frame n but for its number.
func (f *Frames) model(n uint32) []byte { return f.turn[n%uint32(len(f.turn))] }

// Number is the number that a frame bears, and whether the rest of the frame
// is as the run's frame of that number was sent, to the last byte.
func (f *Frames) Number(data []byte) (n uint32, ok bool) {
	if len(data) < patternOffset {
		return 0, false
	}
	n = sequence(data)
	return n, sameRun(f.model(n), data)
}
