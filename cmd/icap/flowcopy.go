package main

import (
	"bufio"
	"errors"
	"fmt"
	"slices"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/stitch"
)

// flowNote is what a section says of the comments in it.
const flowNote = "icap flows: packets with the same [flow N] in their comments belong to the same connection of a client, on all legs; how sure that is stands behind it"

// copyWithIDs reads files once more, which has the same connections in the same
// order, and writes them with the numbers of the flows as comments.
func copyWithIDs(files []string, expr, path string, force bool, all []*flow.Conn, ids flowIDs) (err error) {
	inputs, err := openInputs(files)
	defer closeInputs(inputs)
	if err != nil {
		return err
	}
	to, err := createBeside(inputs, path, force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	c := &flowCopy{out: bufio.NewWriterSize(to, 1<<20), viewer: viewer{wanted: newSelection(expr)},
		all: all, comments: make(map[*flow.Conn]string), ids: ids}
	stream := stitch.NewStream(0, c.write)
	for _, in := range inputs {
		if err := stream.File(in.Reader); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", in.Name(), err), stream.Flush(), c.out.Flush())
		}
	}
	return errors.Join(stream.Flush(), c.out.Flush())
}

// A flowCopy writes blocks with comments.
type flowCopy struct {
	viewer
	out      *bufio.Writer
	tracker  flow.Tracker
	all      []*flow.Conn
	ids      flowIDs
	comments map[*flow.Conn]string // by connection of this reading
	scratch  []byte
}

func (c *flowCopy) write(e *stitch.Entry) error {
	b := &e.Block
	if b.Type == capfile.TypeSection {
		b.Unmeasure()
		return c.comment(b, flowNote)
	}
	s, err := c.view(e)
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
func (c *flowCopy) of(conn *flow.Conn) string {
	said, ok := c.comments[conn]
	if !ok && conn != nil && len(c.comments) < len(c.all) {
		said = c.ids.comment(c.all[len(c.comments)])
		c.comments[conn] = said
	}
	return said
}

func (c *flowCopy) comment(b *capfile.Block, text string) error {
	c.scratch = b.AppendWithComment(c.scratch[:0], text)
	_, err := c.out.Write(c.scratch)
	return err
}

// checkCopy refuses what cannot be copied.
func checkCopy(w *watch, paired bool) error {
	switch {
	case len(w.files) == 0 || slices.Contains(w.files, "-"):
		return usagef("-w writes files once more that are read (-r): what is captured live or comes from standard input cannot be read twice")
	case !paired:
		return usagef("-w writes which connections belong together: it needs --pairs")
	}
	return nil
}
