package direct

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"icap/internal/capture"
	"icap/pcapwriter"
)

// ErrRefused means that a file system does not take writes with O_DIRECT.
var ErrRefused = errors.New("the file system does not take O_DIRECT")

// A File is a pcapng file that whole pages are written to with O_DIRECT.
type File struct {
	f          *os.File
	fd         int
	size       int64 // of the header, and after Close of all
	interfaces int
	snaplen    int
	cache      cache
	ledger     *ledger // of Run
}

// Create writes the header to f, an empty regular file, and has all that
// follows written with O_DIRECT. The caller closes f, after File.Close.
//
// If the file system does not take that, the error wraps ErrRefused, and f is
// as it was.
func Create(f *os.File, h *pcapwriter.Header) (*File, error) {
	if len(h.Interfaces) == 0 {
		return nil, fmt.Errorf("pcapng header of %s: no interface", f.Name())
	}
	header := appendHeader(nil, h)
	o := &File{f: f, fd: int(f.Fd()), size: int64(len(header)),
		interfaces: len(h.Interfaces), snaplen: int(h.Interfaces[0].Snaplen)}
	err := o.begin(header)
	if err == nil {
		return o, nil
	}
	err = errors.Join(err, o.setDirect(false), f.Truncate(0))
	return nil, fmt.Errorf("write %s: %w", f.Name(), err)
}

// begin writes the header from pages of their own, which is the trial of what
// the file system takes.
func (o *File) begin(header []byte) error {
	if err := o.setDirect(true); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	pages, free, err := alignedPages(len(header))
	if err != nil {
		return err
	}
	defer free()
	copy(pages, header)
	_, err = o.write(pages, 0)
	if refused(err) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// refused says whether an error of a write is about its being direct: about
// its alignment, or the pages that it comes from.
func refused(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EFAULT)
}

// Written is how many packets of each interface, and how many bytes of whole
// blocks, are in the file.
func (o *File) Written() (packets []uint64, bytes uint64) {
	packets = make([]uint64, o.interfaces)
	if o.ledger == nil {
		return packets, uint64(o.size)
	}
	for ring, n := range o.ledger.packets() {
		packets[o.ledger.of[ring]] += n
	}
	size, _ := o.ledger.end()
	return packets, uint64(max(o.size, size))
}

// put writes a chunk at its place, in a file of which so much is written. The
// pages end with the chunk, and what is ahead of it is in the file already. It
// returns how many bytes of whole blocks, and packets among them, are written
// if it fails; the error is a *pcapwriter.WriteError.
//
// What the file system does not take with O_DIRECT, such as the rest of a
// write that met a limit inside a page, goes through the page cache.
func (o *File) put(c *Chunk, pages []byte, at, written int64) (size int64, packets int, err error) {
	if err := o.check(written); err != nil {
		return 0, 0, &pcapwriter.WriteError{Path: o.f.Name(), Err: err}
	}
	ahead := len(pages) - len(c.Data)
	at -= int64(ahead)
	n, err := o.write(pages, at)
	if refused(err) && o.keepCache() == nil {
		var m int
		m, err = o.write(pages[n:], at+int64(n))
		n += m
	}
	if err == nil {
		return int64(len(c.Data)), c.Packets, nil
	}
	size, packets = wholeBlocks(c.Data[:max(n-ahead, 0)])
	return size, packets, &pcapwriter.WriteError{Path: o.f.Name(), Err: err}
}

// wholeBlocks tells how much of b, which may end inside a block, is whole
// ones, and how many of these are packets.
func wholeBlocks(b []byte) (size int64, packets int) {
	for len(b) >= 8 {
		total := int(binary.LittleEndian.Uint32(b[4:]))
		if total > len(b) {
			break
		}
		if binary.LittleEndian.Uint32(b) == blockPacket {
			packets++
		}
		size += int64(total)
		b = b[total:]
	}
	return size, packets
}

// Close cuts the file behind its last whole block and writes the statistics by
// which it proves its own completeness. After a fault for want of room they
// are still tried, and left out if there is none. The error is the fault of
// the file that ended Run, or what went wrong here.
func (o *File) Close(r *capture.Result) error {
	var fault error
	if o.ledger != nil {
		o.size, fault = o.ledger.end()
	}
	if errors.Is(fault, pcapwriter.ErrTruncated) || errors.Is(fault, pcapwriter.ErrUnlinked) {
		return fault // what is left of it is not ours to change
	}
	err := o.finish(r)
	if fault == nil && err != nil {
		return &pcapwriter.WriteError{Path: o.f.Name(), Err: err}
	}
	return fault
}

// finish ends the file behind its last whole block, and puts the statistics
// there.
func (o *File) finish(r *capture.Result) error {
	if err := errors.Join(o.keepCache(), o.f.Truncate(o.size)); err != nil {
		return err
	}
	delivered, _ := o.Written()
	var tail []byte
	for i, s := range r.Sources {
		tail = pcapwriter.AppendStatistics(tail, &pcapwriter.Statistics{
			Interface: uint32(i),
			Time:      r.End.UnixNano(),
			Start:     r.Start.UnixNano(),
			End:       r.End.UnixNano(),
			Received:  s.Received,
			Dropped:   s.Dropped,
			Accepted:  s.Received,
			OSDropped: s.Dropped,
			Delivered: delivered[i],
		})
	}
	n, err := o.write(tail, o.size)
	if err != nil {
		return errors.Join(err, o.f.Truncate(o.size))
	}
	o.size += int64(n)
	return nil
}
