package stitch

import (
	"bufio"
	"fmt"
	"io"

	"icap/internal/capfile"
)

// Options say how a file is stitched.
type Options struct {
	// Annotate leaves the packets as they are and only writes the comments.
	Annotate bool
	// Checksums completes all checksums that were left to hardware.
	Checksums bool
	// Hold is how many bytes of packets may wait for the answer to one of
	// them, 0 meaning 64 MiB.
	Hold int
}

// Result counts what was done.
type Result struct {
	// Packets are all of the files.
	Packets uint64
	// Restored are those that were given their addresses back, or, with
	// Options.Annotate, could have been.
	Restored uint64
	// Unknown are those of redirected halves whose other half was not found.
	Unknown uint64
	// Completed are checksums.
	Completed uint64
}

const defaultHold = 64 << 20

// A Writer stitches files as it copies them, block by block.
type Writer struct {
	out     *bufio.Writer
	options Options
	table   Table
	queue   queue
	result  Result
	scratch []byte
}

// NewWriter writes to out. Flush comes last.
func NewWriter(out io.Writer, o Options) *Writer {
	if o.Hold <= 0 {
		o.Hold = defaultHold
	}
	return &Writer{out: bufio.NewWriterSize(out, 1<<20), options: o}
}

// File copies a whole file. An error of the input comes after all that could
// be read of it was written.
func (w *Writer) File(in *capfile.Reader) error {
	for {
		b, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.block(b); err != nil {
			return err
		}
	}
}

// Flush gives up what still waits, and writes everything out.
func (w *Writer) Flush() (Result, error) {
	for w.queue.len() > 0 {
		w.queue.first().conn.GiveUp()
		if err := w.drain(); err != nil {
			return w.result, err
		}
	}
	return w.result, w.out.Flush()
}

// block takes the next block of a file.
func (w *Writer) block(b *capfile.Block) error {
	e := entry{block: *b}
	if p := b.Packet; p != nil {
		w.result.Packets++
		e.view.Data = p.Data
		if e.view.DecodeLink(p.Interface.LinkType, p.Data) {
			e.conn = w.table.See(&e.view)
		}
	}
	if w.queue.len() == 0 && (e.conn == nil || e.conn.Decided()) {
		return w.write(&e)
	}
	w.queue.push(&e)
	for w.queue.bytes > w.options.Hold {
		w.queue.first().conn.GiveUp()
		if err := w.drain(); err != nil {
			return err
		}
	}
	return w.drain()
}

// drain writes what does not wait any more.
func (w *Writer) drain() error {
	for w.queue.len() > 0 {
		e := w.queue.first()
		if e.conn != nil && !e.conn.Decided() {
			return nil
		}
		if err := w.write(e); err != nil {
			return err
		}
		w.queue.pop()
	}
	return nil
}

// write writes one block, changed where that is due.
func (w *Writer) write(e *entry) error {
	b := &e.block
	switch {
	case b.Type == capfile.TypeSection:
		b.Unmeasure()
		return w.comment(b, w.about())
	case e.conn != nil && e.conn.Known():
		w.result.Restored++
		said := e.conn.comment(w.options.Annotate)
		if !w.options.Annotate {
			e.conn.Rewrite(&e.view)
		} else {
			w.complete(e)
		}
		return w.comment(b, said)
	case e.conn != nil && e.conn.state != natural:
		w.result.Unknown++
	}
	w.complete(e)
	_, err := w.out.Write(b.Raw)
	return err
}

// complete fills in a checksum, if so wished.
func (w *Writer) complete(e *entry) {
	if w.options.Checksums && e.block.Packet != nil && e.view.FillChecksum() {
		w.result.Completed++
	}
}

// comment writes a block with a comment.
func (w *Writer) comment(b *capfile.Block, text string) error {
	w.scratch = b.AppendWithComment(w.scratch[:0], text)
	_, err := w.out.Write(w.scratch)
	return err
}

// about is what the section says of what was done to it.
func (w *Writer) about() string {
	about := "icap stitch: packets that were redirected to this host's loopback have the addresses back that the app saw; their comments say what was captured"
	if w.options.Annotate {
		about = "icap stitch: the comments of packets that were redirected to this host's loopback say what addresses the app saw"
	}
	if w.options.Checksums {
		about += "; checksums that were left to hardware are completed"
	}
	return about
}

// comment is what every packet of the half says of it.
func (c *Conn) comment(annotate bool) string {
	switch {
	case c.text != "":
	case annotate:
		c.text = fmt.Sprintf("icap: redirected from %s > %s", c.src, c.dst)
	default:
		c.text = fmt.Sprintf("icap: captured as %s > %s", c.seen.src, c.seen.dst)
	}
	return c.text
}
