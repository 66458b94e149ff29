package window

import "reflect"

// A store is the packets that are held, the oldest first, in slabs for their
// data and pages for what is known of them.
type store[T any] struct {
	most     int // bytes
	size     int // bytes of all slabs and pages, in use or spare
	pageSize int

	slabs []*slab // the last one is being filled
	pages []*page[T]

	spareSlabs []*slab
	sparePages []*page[T]
}

// slabSize is how much data one slab takes, in bytes: at least a packet of any
// size that rings deliver. A packet of a file may be larger, and gets a slab of
// its own.
const slabSize = 512 << 10

// pageLen is how many packets one page describes.
const pageLen = 1024

// A slab is the data of some packets, one behind the other.
type slab struct {
	bytes []byte
	used  int
	held  int // packets whose data lies in it
}

// A page describes some packets: from is the first of them that is held.
type page[T any] struct {
	entries []entry[T]
	from    int
}

// An entry is one packet.
type entry[T any] struct {
	time  int64
	about T
	data  []byte
	in    *slab
}

func (s *store[T]) limit(bytes int) {
	s.most = bytes
	s.pageSize = pageLen * int(reflect.TypeFor[entry[T]]().Size())
}

func (s *store[T]) empty() bool {
	return len(s.pages) == 0 || len(s.pages) == 1 && s.pages[0].from == len(s.pages[0].entries)
}

// first is the oldest entry of a store that is not empty.
func (s *store[T]) first() *entry[T] { return &s.pages[0].entries[s.pages[0].from] }

// push copies a packet. It reports whether there was room.
func (s *store[T]) push(at int64, about *T, data []byte) bool {
	if !s.room(len(data)) || !s.line() {
		return false
	}
	in := s.slabs[len(s.slabs)-1]
	own := in.bytes[in.used : in.used+len(data) : in.used+len(data)]
	copy(own, data)
	in.used += len(data)
	in.held++
	p := s.pages[len(s.pages)-1]
	p.entries = append(p.entries, entry[T]{at, *about, own, in})
	return true
}

// room makes the last slab have room for n bytes.
func (s *store[T]) room(n int) bool {
	if last := len(s.slabs) - 1; last >= 0 && len(s.slabs[last].bytes)-s.slabs[last].used >= n {
		return true
	}
	var next *slab
	switch spare := len(s.spareSlabs); {
	case n <= slabSize && spare > 0:
		next = s.spareSlabs[spare-1]
		s.spareSlabs = s.spareSlabs[:spare-1]
	case s.grow(max(n, slabSize)):
		next = &slab{bytes: make([]byte, max(n, slabSize))}
	default:
		return false
	}
	s.slabs = append(s.slabs, next)
	return true
}

// line makes the last page have room for an entry.
func (s *store[T]) line() bool {
	if last := len(s.pages) - 1; last >= 0 && len(s.pages[last].entries) < pageLen {
		return true
	}
	var next *page[T]
	switch spare := len(s.sparePages); {
	case spare > 0:
		next = s.sparePages[spare-1]
		s.sparePages = s.sparePages[:spare-1]
	case s.grow(s.pageSize):
		next = &page[T]{entries: make([]entry[T], 0, pageLen)}
	default:
		return false
	}
	s.pages = append(s.pages, next)
	return true
}

// grow takes memory, for which it gives up what is spare. It reports whether
// the limit allows it.
func (s *store[T]) grow(n int) bool {
	for s.size+n > s.most && len(s.spareSlabs) > 0 {
		last := len(s.spareSlabs) - 1
		s.size -= len(s.spareSlabs[last].bytes)
		s.spareSlabs[last] = nil
		s.spareSlabs = s.spareSlabs[:last]
	}
	for s.size+n > s.most && len(s.sparePages) > 0 {
		last := len(s.sparePages) - 1
		s.size -= s.pageSize
		s.sparePages[last] = nil
		s.sparePages = s.sparePages[:last]
	}
	if s.size+n > s.most {
		return false
	}
	s.size += n
	return true
}

// pop forgets the oldest packet. The last slab and the last page are filled
// anew when nothing is left in them.
func (s *store[T]) pop() {
	p := s.pages[0]
	e := &p.entries[p.from]
	in := e.in
	*e = entry[T]{}
	p.from++
	if in.held--; in.held == 0 {
		s.free(in)
	}
	if p.from == len(p.entries) && (p.from == pageLen || len(s.pages) > 1) {
		p.entries, p.from = p.entries[:0], 0
		s.pages = shift(s.pages)
		s.sparePages = append(s.sparePages, p)
	}
}

// free gives back a slab in which nothing is held any more. It is the first one,
// but for empty ones ahead of it.
func (s *store[T]) free(in *slab) {
	in.used = 0
	for len(s.slabs) > 0 && s.slabs[0].held == 0 {
		first := s.slabs[0]
		s.slabs = shift(s.slabs)
		if len(first.bytes) == slabSize {
			s.spareSlabs = append(s.spareSlabs, first)
		} else {
			s.size -= len(first.bytes)
		}
	}
}

// shift takes the first element off, and keeps the room at the end.
func shift[E any](list []*E) []*E {
	n := copy(list, list[1:])
	list[n] = nil
	return list[:n]
}
