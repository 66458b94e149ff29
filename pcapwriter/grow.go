package pcapwriter

import "fmt"

// AddInterface adds an interface to the section, and writes it with all that
// the batch holds. It gets the next number, and packets can name it from then
// on. It must agree with those of the header in link type and snapshot length.
//
// The error is a [*WriteError], or says in what the interface does not agree.
func (w *Writer) AddInterface(i *Interface) error {
	if w.err != nil {
		return w.err
	}
	if err := agree(&w.first, i); err != nil {
		return fmt.Errorf("add to %s: %w", w.out.f.Name(), err)
	}
	w.batch = AppendInterface(w.batch, i)
	if err := w.Drain(); err != nil {
		return err
	}
	w.interfaces++
	w.delivered = append(w.delivered, 0)
	return nil
}

// AddNames gives addresses names, for readers of the packets that follow. The
// error is a [*WriteError].
func (w *Writer) AddNames(names []Name) error {
	if w.err != nil {
		return w.err
	}
	w.batch = AppendNames(w.batch, names)
	if len(w.batch) < w.size {
		return nil
	}
	return w.Flush()
}

// AddBlocks adds whole blocks that are encoded and are no packets, such as
// statistics out of another file. The error is a [*WriteError].
func (w *Writer) AddBlocks(blocks []byte) error {
	if w.err != nil {
		return w.err
	}
	w.batch = append(w.batch, blocks...)
	if len(w.batch) < w.size {
		return nil
	}
	return w.Flush()
}
