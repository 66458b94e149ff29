package gather

// An entry is a stream by the time of its next packet.
type entry struct {
	time   int64
	stream *Stream
}

// A heap has the streams that have a packet at hand, the oldest at its root. It
// is container/heap without interfaces, since it is in the way of every packet.
type heap []entry

func (h *heap) push(e entry) {
	all := append(*h, e)
	*h = all
	i := len(all) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if all[parent].time <= e.time {
			break
		}
		all[i] = all[parent]
		i = parent
	}
	all[i] = e
}

// pop removes the root.
func (h *heap) pop() {
	all := *h
	n := len(all) - 1
	last := all[n]
	all[n] = entry{}
	*h = all[:n]
	if n > 0 {
		all[0] = last
		h.sink()
	}
}

// sink brings the root to its place after its time has changed.
func (h heap) sink() {
	if len(h) < 2 {
		return
	}
	e, i := h[0], 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if right := child + 1; right < len(h) && h[right].time < h[child].time {
			child = right
		}
		if h[child].time >= e.time {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = e
}
