package pcapwriter

import (
	"errors"
	"runtime"
)

// A batch is some whole blocks, and how many packets are among them.
type batch struct {
	data    []byte
	packets uint64
}

// An outcome is what became of a batch: all of it is written, or its first n
// bytes are and err says why no more.
type outcome struct {
	batch
	n   int
	err error
}

// behind writes batches in a goroutine of its own. While that runs, nobody
// else touches the output.
type behind struct {
	todo  chan batch
	done  chan outcome
	under int      // batches handed over that have not come back
	bytes uint64   // in them
	more  int      // buffers that may still be made
	free  [][]byte // buffers to fill
}

// startBehind begins to write behind, with so many batches under way at most.
func startBehind(out *output, batches int, fault func()) *behind {
	q := &behind{
		todo: make(chan batch, batches),
		done: make(chan outcome, batches),
		more: batches,
	}
	go func() {
		failed := false
		for b := range q.todo {
			o := outcome{batch: b, err: errSkipped}
			if !failed {
				o.n, o.err = out.put(b.data)
			}
			q.done <- o
			if o.err != nil && !failed {
				failed = true
				if fault != nil {
					fault()
				}
			}
		}
	}()
	return q
}

// errSkipped is the outcome of batches after one that failed.
var errSkipped = errors.New("a batch before was not written")

// hand gives the batch to the goroutine and takes an empty buffer for the next
// one. It waits if all are under way.
func (w *Writer) hand() error {
	q := w.behind
	q.todo <- batch{w.batch, w.pending}
	q.under++
	q.bytes += uint64(len(w.batch))
	w.batch, w.pending = nil, 0
	// Let it go first: a write that does not wait for the disk is done at
	// once, and its buffer, still in the cache, is the next one to fill.
	runtime.Gosched()
	if err := w.collect(0); err != nil {
		return err
	}
	if len(q.free) == 0 && q.more == 0 {
		if err := w.collect(1); err != nil {
			return err
		}
	}
	if n := len(q.free); n > 0 {
		w.batch, q.free = q.free[n-1], q.free[:n-1]
	} else {
		q.more--
		w.batch = w.newBatch()
	}
	return nil
}

// collect takes the outcomes that are there, and waits for at least so many.
func (w *Writer) collect(atLeast int) error {
	q := w.behind
	for ; q.under > 0; atLeast-- {
		var o outcome
		if atLeast > 0 {
			o = <-q.done
		} else {
			select {
			case o = <-q.done:
			default:
				return nil
			}
		}
		q.under--
		q.bytes -= uint64(len(o.data))
		if o.err != nil {
			w.failBehind(o)
			return w.err
		}
		w.count(o.batch)
		q.free = append(q.free, o.data[:0])
	}
	return nil
}

// failBehind ends the Writer by a batch that failed. Those behind it are lost.
func (w *Writer) failBehind(o outcome) {
	q := w.behind
	w.lose(batch{w.batch, w.pending})
	for ; q.under > 0; q.under-- {
		w.lose((<-q.done).batch)
	}
	close(q.todo)
	w.behind = nil
	w.fail(o)
}

// endBehind waits for all batches and ends the goroutine.
func (w *Writer) endBehind() error {
	q := w.behind
	if q == nil {
		return w.err
	}
	if err := w.collect(q.under); err != nil {
		return err
	}
	close(q.todo)
	w.behind = nil
	return nil
}
