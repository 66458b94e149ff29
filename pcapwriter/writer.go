package pcapwriter

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// defaultBatchSize is what one write carries. Below 1 MiB an ext4 write costs
// up to half as much again, since the page cache then uses smaller folios.
const defaultBatchSize = 1 << 20

// A Header is what a file begins with.
type Header struct {
	Section    Section
	Interfaces []Interface // at least one
	Names      []Name      // may be empty
}

// Config tunes a Writer. The zero value is a good one.
type Config struct {
	// BatchSize is how many bytes are collected for one write; 0 means 1 MiB.
	// A batch may exceed it by one packet, and a packet that is larger than a
	// batch goes out as soon as it is written.
	BatchSize int
	// Behind, for files on a disk, is how many batches may be on their way
	// there while the next one is filled: a goroutine of the Writer's writes
	// them, so that the disk can stall for some time. An error is then
	// returned by a later call. 0 means that every call writes by itself, as
	// pipes and files in memory are always written.
	Behind int
	// Fault, if not nil, is called by that goroutine when a write has failed.
	// Flush then returns the error.
	Fault func()
	// Reserve, for files on a disk, is the most room to take there ahead of
	// what is written, in bytes, so that the file system need not look for it
	// with every write. It is never more than the file has already, nor a
	// quarter of what is free, and is given back by Close. The size of the
	// file does not show it. 0 reserves nothing.
	Reserve int64
	// Limit is a size that the file is not expected to exceed: no room is
	// reserved beyond it. 0 is no limit.
	Limit int64
}

// Stats count what became of the packets that a Writer was given. After Drain,
// Packets and Lost add up to all of them.
type Stats struct {
	// Packets are those that the kernel has taken whole: they are in the
	// file, or in the pipe, whether or not its reader has got that far.
	Packets uint64
	// Bytes are those of all whole blocks that the kernel has taken.
	Bytes uint64
	// Lost are the packets that a fault kept out: those of the batch that
	// failed, and all that came later.
	Lost uint64
}

// A Writer writes blocks to a file or pipe in batches. It is for one goroutine
// at a time, Stats included. Packets are only copied: what they point to is
// free again as soon as WritePacket returns.
//
// The first write that fails ends the Writer. A regular file is then cut back
// to its last whole block, and from then on all methods return one and the
// same [*WriteError]. A file that somebody else truncates or removes ends the
// Writer too, at the next batch.
type Writer struct {
	out        *output
	interfaces uint32    // number of interfaces in the header
	delivered  []uint64  // packets of each interface, without those lost
	first      Interface // with what all interfaces must agree on
	snaplen    int       // of all interfaces, in bytes; 0: no limit
	size       int       // when the batch is full
	batch      []byte    // whole blocks that are not written yet
	pending    uint64    // packets among them
	behind     *behind   // nil if every call writes by itself
	stats      Stats
	err        error // a *WriteError, or os.ErrClosed
}

// NewWriter writes the header to f, all of it in one write at once, and returns
// a Writer for what follows. It starts where f stands, so a file that was
// opened for appending gets a further section.
//
// The interfaces must have one link type and one snapshot length. When the
// header cannot be written, f is cut back to what it was and the error is a
// [*WriteError].
func NewWriter(f *os.File, h *Header, c Config) (*Writer, error) {
	if err := checkInterfaces(h.Interfaces); err != nil {
		return nil, fmt.Errorf("pcapng header of %s: %w", f.Name(), err)
	}
	out, err := newOutput(f)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		out:        out,
		interfaces: uint32(len(h.Interfaces)),
		delivered:  make([]uint64, len(h.Interfaces)),
		first:      h.Interfaces[0],
		snaplen:    int(h.Interfaces[0].Snaplen),
		size:       c.BatchSize,
	}
	if w.size <= 0 {
		w.size = defaultBatchSize
	}
	w.batch = w.newBatch()
	w.batch = AppendSection(w.batch, &h.Section)
	for i := range h.Interfaces {
		w.batch = AppendInterface(w.batch, &h.Interfaces[i])
	}
	w.batch = AppendNames(w.batch, h.Names)
	if n, err := out.put(w.batch); err != nil {
		torn := (n > 0 || out.excess) && !out.cutBack()
		return nil, &WriteError{Path: f.Name(), Err: err, Torn: torn}
	}
	w.count(batch{data: w.batch})
	w.batch = w.batch[:0]
	if out.onDisk() {
		out.reserve, out.limit = c.Reserve, c.Limit
		if c.Behind > 0 {
			w.behind = startBehind(out, c.Behind, c.Fault)
		}
	}
	return w, nil
}

// newBatch makes a buffer. One packet beyond the batch has room as well, so
// that the batch does not move. Memory that is never written to costs nothing.
func (w *Writer) newBatch() []byte {
	const largestPacket = 262144 + 1024
	return make([]byte, 0, w.size+largestPacket)
}

// checkInterfaces refuses what libpcap refuses to read.
func checkInterfaces(ifs []Interface) error {
	if len(ifs) == 0 {
		return errors.New("no interface")
	}
	for i := range ifs[1:] {
		if err := agree(&ifs[0], &ifs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// agree refuses two interfaces that cannot be in one file.
func agree(a, b *Interface) error {
	switch {
	case a.LinkType != b.LinkType:
		return fmt.Errorf("interfaces %q and %q have different link types, %d and %d",
			a.Name, b.Name, a.LinkType, b.LinkType)
	case a.Snaplen != b.Snaplen:
		return fmt.Errorf("interfaces %q and %q have different snapshot lengths, %d and %d",
			a.Name, b.Name, a.Snaplen, b.Snaplen)
	}
	return nil
}

// WritePacket adds a packet to the batch, and writes the batch when it is
// full. A packet that its VLAN tag would make longer than the snapshot length
// is cut to it, since libpcap refuses to read it otherwise.
//
// The error is a [*WriteError], or says that the header has no such interface.
func (w *Writer) WritePacket(p *Packet) error {
	if w.err != nil {
		w.stats.Lost++
		return w.err
	}
	if p.Interface >= w.interfaces {
		return w.unknownInterface(p.Interface)
	}
	if w.snaplen > 0 && len(p.Data)+tagLen > w.snaplen {
		cut := w.cut(*p)
		p = &cut
	}
	w.batch = AppendPacket(w.batch, p)
	w.pending++
	w.delivered[p.Interface]++
	if len(w.batch) >= w.size {
		return w.Flush()
	}
	return nil
}

// WriteFrame is WritePacket for a packet that has neither tag nor comment nor
// drops, with its fields as arguments: far most packets, and in less time.
func (w *Writer) WriteFrame(i uint32, ns int64, data []byte, wire int, d Direction, r Reception) error {
	flags := packetFlags(d, r)
	total := plainLen(len(data), flags)
	start := len(w.batch)
	if w.err != nil || i >= w.interfaces || total > cap(w.batch)-start ||
		w.snaplen > 0 && len(data) > w.snaplen {
		return w.WritePacket(&Packet{Interface: i, Time: ns, Data: data, Len: wire, Direction: d, Reception: r})
	}
	w.batch = w.batch[:start+total]
	putPlain(w.batch[start:], i, ns, data, max(wire, len(data)), flags)
	w.pending++
	w.delivered[i]++
	if len(w.batch) >= w.size {
		return w.Flush()
	}
	return nil
}

// Room lends out what is free in the batch, until the next call of the Writer,
// for PutFrame to fill from its beginning. After a fault there is none.
func (w *Writer) Room() []byte {
	if w.err != nil {
		return nil
	}
	return w.batch[len(w.batch):cap(w.batch)]
}

// Took takes so many packets of an interface into the batch, which were put
// into the first n bytes of Room, and writes the batch when it is full. None of
// them may be longer than the snapshot length.
func (w *Writer) Took(i uint32, packets, n int) error {
	if packets == 0 {
		return nil
	}
	if i >= w.interfaces {
		return w.unknownInterface(i)
	}
	w.batch = w.batch[:len(w.batch)+n]
	w.pending += uint64(packets)
	w.delivered[i] += uint64(packets)
	if len(w.batch) >= w.size {
		return w.Flush()
	}
	return nil
}

// cut returns p with as much data as the snapshot length leaves room for.
func (w *Writer) cut(p Packet) Packet {
	limit := w.snaplen
	if p.VLAN.Present && len(p.Data) >= tagOffset {
		limit = max(limit-tagLen, 0)
	}
	p.Len = max(p.Len, len(p.Data))
	p.Data = p.Data[:min(len(p.Data), limit)]
	return p
}

// WriteStatistics adds counters to the batch, and writes the batch when it is
// full.
//
// After a fault that is for want of room (ENOSPC, EDQUOT, EFBIG), the block is
// still tried on a regular file: what was cut off a torn packet often is room
// enough, and then the file itself tells what it lacks. It returns the
// [*WriteError] all the same.
func (w *Writer) WriteStatistics(s *Statistics) error {
	if w.err == nil && s.Interface >= w.interfaces {
		return w.unknownInterface(s.Interface)
	}
	if w.err != nil {
		if w.hasTailRoom() && s.Interface < w.interfaces {
			w.writeTail(AppendStatistics(nil, s))
		}
		return w.err
	}
	w.batch = AppendStatistics(w.batch, s)
	if len(w.batch) >= w.size {
		return w.Flush()
	}
	return nil
}

// hasTailRoom says whether a small block may still fit behind the last one.
func (w *Writer) hasTailRoom() bool {
	e, ok := w.err.(*WriteError)
	return ok && w.out.regular && !e.Torn && (errors.Is(e, syscall.ENOSPC) ||
		errors.Is(e, syscall.EDQUOT) || errors.Is(e, syscall.EFBIG))
}

// writeTail writes one block after a fault, or leaves the file as it was.
func (w *Writer) writeTail(block []byte) {
	if w.out.check() != nil {
		return
	}
	if n, err := w.out.put(block); err == nil {
		w.count(batch{data: block})
	} else if n > 0 {
		w.out.cutBack()
	}
}

// unknownInterface is the error for a block that no reader would accept.
func (w *Writer) unknownInterface(i uint32) error {
	return fmt.Errorf("write %s: interface %d is not among the %d of the header",
		w.out.f.Name(), i, w.interfaces)
}

// Flush writes what the batch holds, in one write, or has it written behind.
// It does not wait for the disk: that is what Sync of the file is for.
func (w *Writer) Flush() error {
	switch {
	case w.err != nil:
		return w.err
	case w.behind != nil && len(w.batch) == 0:
		return w.collect(0)
	case w.behind != nil:
		return w.hand()
	case len(w.batch) == 0:
		return nil
	}
	b := batch{w.batch, w.pending}
	w.batch, w.pending = nil, 0
	if n, err := w.out.put(b.data); err != nil {
		w.fail(outcome{b, n, err})
		return w.err
	}
	w.count(b)
	w.batch = b.data[:0]
	return nil
}

// Drain is Flush that also waits for what is written behind.
func (w *Writer) Drain() error {
	err := w.Flush()
	if err == nil && w.behind != nil {
		err = w.collect(w.behind.under)
	}
	return err
}

// count counts a batch as part of the output.
func (w *Writer) count(b batch) {
	w.stats.Bytes += uint64(len(b.data))
	w.stats.Packets += b.packets
}

// lose counts whole blocks as lost.
func (w *Writer) lose(b batch) {
	w.stats.Lost += b.packets
	forEachPacket(b.data, func(i uint32) { w.delivered[i]-- })
}

// fail ends the Writer by a batch of which only a part was written.
func (w *Writer) fail(o outcome) {
	whole, packets := wholeBlocks(o.data[:o.n])
	w.count(batch{o.data[:whole], packets})
	w.lose(batch{o.data[whole:], o.packets - packets})
	w.out.end += int64(whole)
	torn := (o.n > whole || w.out.excess) && !w.out.cutBack()
	w.err = &WriteError{Path: w.out.f.Name(), Err: o.err, Torn: torn}
	w.batch, w.pending = nil, 0
}

// Stats returns the counters so far. Packets in the batch, and those that are
// being written behind, are in none of them.
func (w *Writer) Stats() Stats {
	return w.stats
}

// Delivered is how many packets of an interface are written, or on their way.
// After a fault the latter are lost, and not counted any more.
func (w *Writer) Delivered(i int) uint64 { return w.delivered[i] }

// Size is how many bytes the file has with all that the Writer was given so
// far, counted from where it began.
func (w *Writer) Size() uint64 {
	n := w.stats.Bytes + uint64(len(w.batch))
	if w.behind != nil {
		n += w.behind.bytes
	}
	return n
}

// Close writes what the batch holds, waits for what is written behind, and ends
// the Writer. Of a file that it overwrites, it cuts off what is left of the old
// content. It does not close the file, which belongs to whoever opened it; closing that can fail too, on
// a network file system for one.
//
// After a fault, Close and all that comes later return the [*WriteError], else
// [os.ErrClosed].
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	if err := w.endBehind(); err != nil {
		return err
	}
	if w.out.excess && !w.out.cutBack() {
		w.fail(outcome{err: errNotCut})
		return w.err
	}
	w.batch = nil
	w.err = os.ErrClosed
	return nil
}
