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
}

// Stats count what became of the packets that a Writer was given. After Flush,
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
	// One packet beyond the batch has room as well, so that the batch does not
	// move. Memory that is never written to costs nothing.
	const largestPacket = 262144 + 1024
	w.batch = make([]byte, 0, w.size+largestPacket)

	w.batch = AppendSection(w.batch, &h.Section)
	for i := range h.Interfaces {
		w.batch = AppendInterface(w.batch, &h.Interfaces[i])
	}
	w.batch = AppendNames(w.batch, h.Names)
	if n, err := out.write(w.batch); err != nil {
		torn := n > 0 && !out.cutBack()
		return nil, &WriteError{Path: f.Name(), Err: err, Torn: torn}
	}
	w.written(len(w.batch))
	w.batch = w.batch[:0]
	return w, nil
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
	if n, err := w.out.write(block); err == nil {
		w.written(n)
	} else if n > 0 {
		w.out.cutBack()
	}
}

// unknownInterface is the error for a block that no reader would accept.
func (w *Writer) unknownInterface(i uint32) error {
	return fmt.Errorf("write %s: interface %d is not among the %d of the header",
		w.out.f.Name(), i, w.interfaces)
}

// Flush writes what the batch holds, in one write. It does not wait for the
// disk: that is what Sync of the file is for.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.batch) == 0 {
		return w.err
	}
	n, err := 0, w.out.check()
	if err == nil {
		n, err = w.out.write(w.batch)
	}
	if err != nil {
		w.fail(n, err)
		return w.err
	}
	w.written(n)
	w.stats.Packets += w.pending
	w.batch, w.pending = w.batch[:0], 0
	return nil
}

// written counts whole blocks of n bytes as part of the output.
func (w *Writer) written(n int) {
	w.out.end += int64(n)
	w.stats.Bytes += uint64(n)
}

// fail ends the Writer after the first n bytes of the batch.
func (w *Writer) fail(n int, err error) {
	whole, packets := wholeBlocks(w.batch[:n])
	w.written(whole)
	w.stats.Packets += packets
	w.stats.Lost += w.pending - packets
	forEachPacket(w.batch[whole:], func(i uint32) { w.delivered[i]-- })
	torn := n > whole && !w.out.cutBack()
	w.err = &WriteError{Path: w.out.f.Name(), Err: err, Torn: torn}
	w.batch, w.pending = nil, 0
}

// Stats returns the counters so far. Packets in the batch are in none of them.
func (w *Writer) Stats() Stats {
	return w.stats
}

// Delivered is how many packets of an interface are written or in the batch.
// After a fault the batch is lost, and its packets are not counted any more.
func (w *Writer) Delivered(i int) uint64 { return w.delivered[i] }

// Close writes what the batch holds and ends the Writer. It does not close the
// file, which belongs to whoever opened it; closing that can fail too, on a
// network file system for one.
//
// After a fault, Close and all that comes later return the [*WriteError], else
// [os.ErrClosed].
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	w.batch = nil
	w.err = os.ErrClosed
	return nil
}
