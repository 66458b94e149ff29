package direct

import "sync"

// A cache is the page cache as a way around a disk that is slower than the
// wire. With O_DIRECT a block is the kernel's again when it is on the disk;
// through the page cache, when it is copied. So when the blocks pile up, they
// are copied for a while, and a burst may be as large as the page cache and
// not only as the ring.
type cache struct {
	mu   sync.Mutex
	used bool
	kept bool // the file system refused O_DIRECT, so there is no way back
}

// piledUp says whether so many waiting blocks of a ring, the one at hand
// counted, are too many, given whether the page cache is in use already: it is
// until few are left.
func piledUp(waiting, blocks int, used bool) bool {
	if used {
		return waiting > max(1, blocks/8)
	}
	return waiting > blocks/2
}

// relieve turns the page cache on or off, as the waiting blocks of a ring
// demand it.
func (o *File) relieve(waiting, blocks int) {
	o.cache.mu.Lock()
	defer o.cache.mu.Unlock()
	want := piledUp(waiting, blocks, o.cache.used)
	if want != o.cache.used && !o.cache.kept && o.setDirect(!want) == nil {
		o.cache.used = want
	}
}

// keepCache turns the page cache on for good. It fails only with the file.
func (o *File) keepCache() error {
	o.cache.mu.Lock()
	defer o.cache.mu.Unlock()
	o.cache.used, o.cache.kept = true, true
	return o.setDirect(false)
}
