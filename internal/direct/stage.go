package direct

// A stage is where the small chunks of one ring are put together to pages. A
// page that has room left is written with statistics at its end, and once more
// when the next chunk has filled it: so a trickle of packets takes not more of
// the disk than they need, and the file is whole after each of them.
type stage struct {
	pages []byte // aligned; begins with what the last page of the file has
	free  func()
	end   int // of the packets that were added last
}

// newStage makes a stage. It is freed with close.
func newStage() (*stage, error) {
	pages, free, err := alignedPages(pageSize + smallSize + 2*pageSize)
	if err != nil {
		return nil, err
	}
	return &stage{pages: pages, free: free}, nil
}

func (s *stage) close() { s.free() }

// fill is how many bytes of statistics bring the end of the packets in a file
// to the end of a page.
func fill(end int64) int64 {
	n := -end & (pageSize - 1)
	if 0 < n && n < statisticsMin {
		n += pageSize
	}
	return n
}

// add puts a small chunk behind what the last page of the file has, and
// statistics behind the chunk. The chunk's data then is both of them; the pages
// to write end with it.
func (s *stage) add(c *Chunk, at int64) (pages []byte) {
	begin := int(at & (pageSize - 1))
	end := begin + copy(s.pages[begin:], c.Data)
	s.end = end
	total := end + int(fill(int64(end)))
	if total > end {
		putStatistics(s.pages[end:total], c.iface, c.last, c.received, c.dropped)
	}
	c.Data = s.pages[begin:total]
	return s.pages[:total]
}

// keep keeps the part of the last page that the next chunk will share.
func (s *stage) keep() {
	copy(s.pages, s.pages[s.end&^(pageSize-1):s.end])
}
