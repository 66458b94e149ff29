package direct

import (
	"errors"
	"io"

	"icap/afpacket"
)

// write writes the blocks of one ring. The first ring that fails, or reaches
// the count, ends the others.
func (r *run) write(ring int) {
	err := r.writeRing(ring)
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	if r.staysOn(err) {
		r.abandon()
	} else {
		r.stop()
	}
}

// A worker writes the blocks of one ring.
type worker struct {
	*run
	ring    int
	encoder Encoder
	stage   *stage
	counted counts // up to the block at hand
}

// writeRing writes the blocks of one ring until it ends.
func (r *run) writeRing(i int) error {
	ring := r.config.Rings[i]
	stage, err := newStage()
	if err != nil {
		return err
	}
	defer stage.close()
	w := &worker{run: r, ring: i, stage: stage,
		encoder: Encoder{Interface: uint32(r.config.Of[i]), Queue: r.queue(i), Snaplen: r.config.File.snaplen,
			NoFlags: r.config.NoFlags}}
	for !r.abandoned.Load() {
		if block, ok := ring.Take(); ok {
			r.config.File.relieve(ring.Filled(), ring.Geometry().Blocks)
			err = w.writeBlock(&block)
			block.Release()
			if err != nil {
				return err
			}
			continue
		}
		switch err := ring.Wait(); {
		case err == nil:
		case errors.Is(err, afpacket.ErrDown):
			r.fault(i, err)
		case errors.Is(err, afpacket.ErrGone):
			r.fault(i, err)
			return nil
		case err == io.EOF:
			return nil
		default:
			return err
		}
	}
	return nil
}

// writeBlock writes what one block holds.
func (w *worker) writeBlock(b *afpacket.Block) error {
	if err := w.count(b); err != nil {
		return err
	}
	n, last := w.ledger.admit(b.Len())
	chunk, layout := w.encoder.Encode(b, n)
	if chunk.Packets > 0 {
		if err := w.writeChunk(&chunk); err != nil {
			return err
		}
	}
	if layout == nil && last {
		return errCount
	}
	return layout
}

// count brings the ring's counters up to the block. The kernel is asked only
// when the block says that there is something new.
func (w *worker) count(b *afpacket.Block) error {
	w.counted.received += uint64(b.Len())
	if !b.Losing() {
		return nil
	}
	s, err := w.config.Rings[w.ring].Stats()
	if err != nil {
		return err
	}
	w.counted.received += s.Dropped - w.counted.dropped
	w.counted.dropped = s.Dropped
	return nil
}

// writeChunk writes a chunk at the next place of the file.
func (w *worker) writeChunk(c *Chunk) error {
	at, written, err := w.ledger.take(w.ring, c, w.counted)
	if err != nil {
		return err
	}
	pages := c.Data
	if c.Small {
		pages = w.stage.add(c, at)
	}
	size, packets, err := w.config.File.put(c, pages, at, written)
	w.ledger.wrote(at, size, packets, err)
	if err == nil && c.Small {
		w.stage.keep()
	}
	return err
}

// queue is the number of a ring among those of its source.
func (r *run) queue(ring int) (n uint32) {
	for _, source := range r.config.Of[:ring] {
		if source == r.config.Of[ring] {
			n++
		}
	}
	return n
}

// fault takes note of what became of an interface.
func (r *run) fault(ring int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	source := r.config.Of[ring]
	if errors.Is(err, afpacket.ErrGone) {
		r.gone[source] = true
	}
	if r.config.Fault != nil {
		r.config.Fault(source, err)
	}
}
