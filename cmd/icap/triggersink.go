package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"icap/bpfc"
	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/plain"
	"icap/internal/window"
)

// A triggerSink hands on to another sink the packets that surround events, and
// holds others until it is clear that they do not. It counts the packets of the
// capture, see capture.Config.SinkCounts.
type triggerSink struct {
	sink
	session  *session
	flags    *triggerFlags
	triggers *triggers
	matchers []matcher
	window   *window.Window[capture.Packet]
	windows  windows
	live     *capture.Result
	drops    []uint64 // by source, told with packets that were left out
	written  uint64
	about    capture.Packet // what is taken or passed on
	out      capture.Packet

	signals  chan os.Signal
	asked    chan time.Time
	signalAt int64 // when a signal came that no packet tells of yet; 0: none
}

// A matcher is a trigger that is an expression.
type matcher struct {
	expr string
	*bpfc.Program
	meta *bpfc.Meta
}

// signalLate is how much later than packets of its time a signal may be told:
// rings hold packets back for a tenth of that.
const signalLate = time.Second

func newTriggerSink(s *session, inner sink) (*triggerSink, error) {
	f := &s.flags.trigger
	t := &triggerSink{
		sink: inner, session: s, flags: f, triggers: newTriggers(f),
		windows: windows{errs: s.errs, pre: f.pre},
		live:    &capture.Result{Sources: make([]capture.Source, len(s.sources))},
	}
	late := time.Duration(0)
	if f.signalled() {
		late = signalLate
		t.listen()
	}
	t.window = window.New(f.window(late), t)
	for _, expr := range f.expressions() {
		p, err := s.flags.compile(expr, netmask(s.sources[0].link))
		if err != nil {
			return nil, triggerError(expr, err)
		}
		t.matchers = append(t.matchers, matcher{expr, p, new(bpfc.Meta)})
	}
	return t, nil
}

// listen takes signals from now on.
func (t *triggerSink) listen() {
	const most = 16
	t.signals, t.asked = make(chan os.Signal, most), make(chan time.Time, most)
	t.session.nudge = make(chan struct{}, 1)
	signal.Notify(t.signals, syscall.SIGUSR2)
	go func() {
		for range t.signals {
			select {
			case t.asked <- time.Now():
			default: // as many wait already
			}
			select {
			case t.session.nudge <- struct{}{}:
			default:
			}
		}
	}()
}

// deaf takes no more signals.
func (t *triggerSink) deaf() {
	if t.signals != nil {
		signal.Stop(t.signals)
		close(t.signals)
		t.signals = nil
	}
}

// Accounts takes note of where to count.
func (t *triggerSink) Accounts(live *capture.Result) {
	t.live = live
	accounts(t.sink, live)
}

// Failed is that of the other sink.
func (t *triggerSink) Failed() <-chan struct{} { return failed(t.sink) }

// Due is that of the other sink.
func (t *triggerSink) Due() time.Duration { return due(t.sink) }

// Packet takes the next packet, and passes on what it is the event for.
func (t *triggerSink) Packet(p *capture.Packet) error {
	t.about = *p
	t.about.Data, t.about.Ring = nil, nil
	if name := t.hit(p); name != "" {
		t.about.Comment = remark(p.Comment, "icap: trigger: "+name)
		where := ""
		if t.window.Opens(p.Time) { // or nobody is told
			where = whereSeen(t.session.interfaces[p.Interface].Name, flow.LinkEthernet, p.Data)
		}
		if err := t.event(name, where, p.Time); err != nil {
			return err
		}
	}
	return t.window.Take(p.Time, &t.about, p.Data)
}

// hit is the trigger that a packet meets, "" if none.
func (t *triggerSink) hit(p *capture.Packet) string {
	if name := t.triggers.tcp(t.session.interfaces[p.Interface].Name, flow.LinkEthernet, p.Data, p.Time, p.Len); name != "" {
		return name
	}
	for i := range t.matchers {
		if t.matchers[i].matches(p, t.session.sources[p.Source]) {
			return t.matchers[i].expr
		}
	}
	return ""
}

// matches runs the program as the kernel would.
func (m *matcher) matches(p *capture.Packet, s *source) bool {
	*m.meta = s.metaOf(p)
	return m.MatchMeta(p.Data, p.Len, m.meta) > 0
}

// event passes on what was held of the time before an event.
func (t *triggerSink) event(what, where string, at int64) error {
	if t.flags.perEvent && t.window.Opens(at) {
		if next, ok := t.sink.(parting); ok {
			if err := next.Next(time.Unix(0, at)); err != nil {
				return err
			}
		}
	}
	return begin(&t.windows, t.window, what, where, at)
}

// parting is a sink that can go on in another file, which is named after a
// time.
type parting interface{ Next(time.Time) error }

// Pass hands on a packet of a window.
func (t *triggerSink) Pass(about *capture.Packet, data []byte) error {
	if t.full() {
		return capture.ErrEnough
	}
	p := &t.out
	*p = *about
	p.Data = data
	p.DroppedBefore += t.forgotten(p.Source)
	p.Comment = remark(t.windows.pass(), p.Comment)
	if t.signalAt != 0 && p.Time >= t.signalAt {
		p.Comment = remark(p.Comment, "icap: trigger: "+triggerSignal+" at "+plain.Clock(t.signalAt))
		t.signalAt = 0
	}
	if err := t.sink.Packet(p); err != nil {
		return err
	}
	source := &t.live.Sources[p.Source]
	source.Written++
	source.Told += p.DroppedBefore
	if t.written++; t.full() {
		return capture.ErrEnough
	}
	return nil
}

// full reports whether as many packets were written as are wanted.
func (t *triggerSink) full() bool {
	limit := t.session.flags.count
	return limit > 0 && t.written >= limit
}

// Drop leaves a packet out. What the kernel dropped ahead of it is told with
// the next one.
func (t *triggerSink) Drop(about *capture.Packet) {
	source := &t.live.Sources[about.Source]
	source.Excluded++
	source.Unneeded++
	t.windows.drop()
	if about.DroppedBefore == 0 {
		return
	}
	for len(t.drops) <= about.Source {
		t.drops = append(t.drops, 0)
	}
	t.drops[about.Source] += about.DroppedBefore
}

// forgotten is what packets of a source that were left out had to tell.
func (t *triggerSink) forgotten(source int) (n uint64) {
	if source < len(t.drops) {
		n, t.drops[source] = t.drops[source], 0
	}
	return n
}

// Flush acts on signals, and flushes the other sink.
func (t *triggerSink) Flush() error {
	for len(t.asked) > 0 {
		at := (<-t.asked).UnixNano()
		t.signalAt = at
		if err := t.event(triggerSignal, "", at); err != nil {
			return err
		}
	}
	return t.sink.Flush()
}

// Close leaves out what is still held.
func (t *triggerSink) Close(r *capture.Result) (written []uint64, err error) {
	t.deaf()
	t.window.Clear()
	written, err = t.sink.Close(r)
	t.windows.end(t.window.Evicted())
	return written, err
}

// Discard takes the output back.
func (t *triggerSink) Discard() error {
	t.deaf()
	return t.sink.Discard()
}
