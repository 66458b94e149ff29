package report

import (
	"bufio"
	"errors"
	"io"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/sight"
	"icap/internal/stitch"
)

// flowNote is what a section says of the comments in it.
const flowNote = "icap flows: packets with the same [flow N] in their comments belong to the same connection of a client, on all legs; how sure that is stands behind it"

// A Copy reads files once more, which have the same connections in the same
// order, and writes them with the numbers of the flows as comments.
type Copy struct {
	*stitch.Stream
	viewer   *sight.Viewer
	out      *bufio.Writer
	tracker  flow.Tracker
	all      []*flow.Conn
	ids      flowIDs
	comments map[*flow.Conn]string // by connection of this reading
	scratch  []byte
}

// Copy writes to a file those that were seen, once they were printed with
// Pairs. The expression has to be the same. Flush ends it.
func (f *Flows) Copy(to io.Writer, expr string) *Copy {
	c := &Copy{viewer: sight.NewViewer(expr), out: bufio.NewWriterSize(to, 1<<20),
		all: f.all, ids: f.ids, comments: make(map[*flow.Conn]string)}
	c.Stream = stitch.NewStream(0, c.write)
	return c
}

// Flush writes what is left.
func (c *Copy) Flush() error { return errors.Join(c.Stream.Flush(), c.out.Flush()) }

func (c *Copy) write(e *stitch.Entry) error {
	b := &e.Block
	if b.Type == capfile.TypeSection {
		b.Unmeasure()
		return c.comment(b, flowNote)
	}
	s, err := c.viewer.View(e)
	if err != nil {
		return err
	}
	if s != nil {
		if said := c.of(c.tracker.Follow(s)); said != "" {
			return c.comment(b, said)
		}
	}
	_, err = c.out.Write(b.Raw)
	return err
}

// of is the comment of a connection, by its place among all. It is empty for
// what is none, and where the file has grown meanwhile.
func (c *Copy) of(conn *flow.Conn) string {
	said, ok := c.comments[conn]
	if !ok && conn != nil && len(c.comments) < len(c.all) {
		said = c.ids.comment(c.all[len(c.comments)])
		c.comments[conn] = said
	}
	return said
}

func (c *Copy) comment(b *capfile.Block, text string) error {
	c.scratch = b.AppendWithComment(c.scratch[:0], text)
	_, err := c.out.Write(c.scratch)
	return err
}
