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
	// Conntrack is what is known of connections besides, nil if nothing is.
	Conntrack *Translations
	// Hold is how many bytes of packets may wait for the answer to one of
	// them, 0 meaning 64 MiB.
	Hold int
}

// About says, for the section's comment, what is done to a file.
func (o *Options) About() string {
	about := "packets that were redirected to this host's loopback have the addresses back that the app saw; their comments say what was captured"
	if o.Annotate {
		about = "the comments of packets that were redirected to this host's loopback say what addresses the app saw"
	}
	if o.Checksums {
		about += "; checksums that were left to hardware are completed"
	}
	return about
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

// A Writer stitches files as it copies them, block by block.
type Writer struct {
	out     *bufio.Writer
	options Options
	stream  *Stream
	result  Result
	scratch []byte
}

// NewWriter writes to out. Flush comes last.
func NewWriter(out io.Writer, o Options) *Writer {
	w := &Writer{out: bufio.NewWriterSize(out, 1<<20), options: o}
	w.stream = NewStream(o.Hold, w.write)
	w.stream.conntrack = o.Conntrack
	return w
}

// File copies a whole file. An error of the input comes after all that could
// be read of it was written.
func (w *Writer) File(in *capfile.Reader) error { return w.stream.File(in) }

// Flush gives up what still waits, and writes everything out.
func (w *Writer) Flush() (Result, error) {
	if err := w.stream.Flush(); err != nil {
		return w.result, err
	}
	return w.result, w.out.Flush()
}

// write writes one block, changed where that is due.
func (w *Writer) write(e *Entry) error {
	b := &e.Block
	if b.Packet != nil {
		w.result.Packets++
	}
	switch {
	case b.Type == capfile.TypeSection:
		b.Unmeasure()
		return w.comment(b, "icap stitch: "+w.options.About())
	case e.Conn != nil && e.Conn.Known():
		w.result.Restored++
		said := e.Conn.Comment(!w.options.Annotate)
		if !w.options.Annotate {
			e.Conn.Rewrite(&e.View)
		} else {
			w.complete(e)
		}
		return w.comment(b, said)
	case e.Conn != nil && e.Conn.state != natural:
		w.result.Unknown++
	}
	w.complete(e)
	_, err := w.out.Write(b.Raw)
	return err
}

// complete fills in a checksum, if so wished.
func (w *Writer) complete(e *Entry) {
	if w.options.Checksums && e.Block.Packet != nil && e.View.FillChecksum() {
		w.result.Completed++
	}
}

// comment writes a block with a comment.
func (w *Writer) comment(b *capfile.Block, text string) error {
	w.scratch = b.AppendWithComment(w.scratch[:0], text)
	_, err := w.out.Write(w.scratch)
	return err
}

// Comment is what every packet of a half that is Known says of it: what was
// captured, or if it stays like that, what the app saw.
func (c *Conn) Comment(rewritten bool) string {
	switch {
	case c.text != "":
	case rewritten:
		c.text = fmt.Sprintf("icap: captured as %s > %s, restored by %s", c.seen.src, c.seen.dst, c.evidence)
	default:
		c.text = fmt.Sprintf("icap: redirected from %s > %s, known by %s", c.src, c.dst, c.evidence)
	}
	return c.text
}
