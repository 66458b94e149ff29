package main

import (
	"io"

	"icap/internal/capfile"
	"icap/internal/sight"
	"icap/internal/window"
)

// A triggerReader passes on the packets of files that surround events, and all
// blocks that are no packets.
type triggerReader struct {
	put      func(*capfile.Block) error
	triggers *triggers
	matching []*sight.Selection
	window   *window.Window[heldBlock]
	windows  windows

	about heldBlock // what is taken
	raw   []byte    // of a block that got a comment
}

// A heldBlock is a block with a packet. Of its bytes only the lengths count,
// they are held elsewhere.
type heldBlock struct {
	block   capfile.Block
	packet  capfile.Packet
	comment string
}

// newTriggerReader passes blocks on to put, and tells of events on errs.
func newTriggerReader(f *triggerFlags, errs io.Writer, put func(*capfile.Block) error) *triggerReader {
	t := &triggerReader{put: put, triggers: newTriggers(f), windows: windows{errs: errs, pre: f.pre}}
	for _, expr := range f.expressions() {
		t.matching = append(t.matching, sight.NewSelection(expr))
	}
	t.window = window.New(f.window(0), t)
	return t
}

// block takes the next block.
func (t *triggerReader) block(b *capfile.Block) error {
	if b.Packet == nil {
		if b.Type == capfile.TypeSection {
			t.window.Clear() // its packets have their interfaces in another section
		}
		return t.put(b)
	}
	p := b.Packet
	t.about = heldBlock{block: *b, packet: *p}
	name, err := t.hit(p)
	if err != nil {
		return err
	}
	if name != "" {
		t.about.comment = "icap: trigger: " + name
		where := ""
		if t.window.Opens(p.Time) { // or nobody is told
			where = whereSeen(p.Interface.Name, p.Interface.LinkType, p.Data)
		}
		if err := begin(&t.windows, t.window, name, where, p.Time); err != nil {
			return err
		}
	}
	return t.window.Take(p.Time, &t.about, b.Raw)
}

// hit is the trigger that a packet meets, "" if none.
func (t *triggerReader) hit(p *capfile.Packet) (string, error) {
	if name := t.triggers.tcp(p.Interface.Name, p.Interface.LinkType, p.Data, p.Time, p.Len); name != "" {
		return name, nil
	}
	for _, s := range t.matching {
		if ok, err := s.Has(p); err != nil {
			return "", triggerError(s.Expr, err)
		} else if ok {
			return s.Expr, nil
		}
	}
	return "", nil
}

// Pass puts the block together again.
func (t *triggerReader) Pass(h *heldBlock, raw []byte) error {
	var before, after capfile.Packet
	h.block.Packet = &h.packet
	b := h.block.Moved(raw, &before)
	if text := remark(t.windows.pass(), h.comment); text != "" {
		t.raw = b.AppendWithComment(t.raw[:0], text)
		b = b.Moved(t.raw, &after)
	}
	return t.put(&b)
}

// Drop leaves a packet out.
func (t *triggerReader) Drop(*heldBlock) { t.windows.drop() }

// end is to be called behind the last block, and says what was found.
func (t *triggerReader) end() {
	t.window.Clear()
	t.windows.end(t.window.Evicted())
}
