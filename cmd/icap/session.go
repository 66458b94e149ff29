package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/direct"
	"icap/internal/flow"
	"icap/istiofilter"
	"icap/pcapwriter"
)

// A session is one capture, from opening the rings to the summary.
type session struct {
	flags   *captureFlags
	sources []*source
	comment string
	errs    *console // for messages
	out     *os.File // for packets as text, and for -w -

	writing writing

	// followers are for the pods among the sources. Where following, those that
	// come back join through more.
	followers []*follower
	watching  sync.WaitGroup
	following bool
	newcomers *newcomers // of -i any, else nil
	bell      bell       // rings when a pod may be coming

	// helper does what takes privileges for them, in its own process; nil
	// without a sandbox.
	helper     *helper
	helperGone atomic.Bool

	// recruiters look for further pods by their labels, and summons, if not nil,
	// takes the names of others from standard input.
	recruiters []*recruiter
	summons    *summons
	more       chan *capture.Addition

	// mu is for what grows while a capture runs: followers, and the UIDs of the
	// pods that are captured; and sources, interfaces, owner, ids and the rings
	// of the tracks. The capture itself, which alone changes these, reads them
	// without it.
	mu         sync.Mutex
	claimed    map[string]bool
	tracks     []*track
	running    bool // the rings are on the wire
	interfaces []pcapwriter.Interface
	owner      []int   // source of each interface in the file
	ids        [][]int // by source and leg: the interface in the file
	headers    flow.Headers
	skipped    uint64             // of --skip
	series     map[string]*series // by output, if there are several files
	own        []ownStream        // of the output, once ownKnown
	ownKnown   bool
	keys       *keySink      // of --keylog, else nil
	nudge      chan struct{} // has the output flushed; may be nil

	// started, if not nil, is called when all rings are on the wire.
	started func()
	// observe, if not nil, is shown every packet of a pod that is written.
	observe func(*source, *capture.Packet, istiofilter.Leg, *flow.Headers)
}

// run captures until the context ends or a limit is reached. Whatever can be
// refused is refused before the rings are on the wire.
func (s *session) run(ctx context.Context) error {
	s.number()
	if s.flags.stitch {
		s.comment += "\nstitched: " + s.flags.stitching().About()
	}
	if s.flags.trigger.on() {
		s.comment += "\ntriggered: only packets " + s.flags.trigger.String()
	}
	defer s.closeSeries()
	if err := s.checkOutput(); err != nil {
		return err
	}
	if err := s.flags.rings.cpus.confine(); err != nil {
		return err
	}
	if err := s.chooseWriting(); err != nil {
		return err
	}
	defer s.closeRings()
	if err := s.openRings(); err != nil {
		return err
	}
	if err := s.keepWriting(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.openSinks(ctx, func(end time.Time) { time.AfterFunc(time.Until(end), cancel) }); err != nil {
		return err
	}
	if s.flags.output == "" || s.flags.output == "-" || s.flags.alsoPrint {
		defer onHangUp(s.out, cancel)()
	}
	if s.following && s.newcomers == nil {
		s.bell.hang(s.flags.scanner())
		defer s.bell.close()
	}
	if err := s.guard(); err != nil {
		return errors.Join(err, s.discard())
	}
	if s.helper != nil {
		defer s.helper.client.Close()
	}
	meter := s.newMeter()
	meter.start(ctx)
	err := s.capture(ctx, cancel)
	meter.stop()
	if err != nil && !s.running {
		return errors.Join(err, s.discard())
	}
	result, written, cerr := s.closeSinks()
	s.summarize(result, written)
	if s.keys != nil {
		s.keys.tell(s)
	}
	meter.tellEnd(result, written)
	if err = cmp.Or(err, cerr, s.podsGone(), s.helperLost()); err != nil {
		return faultError{err}
	}
	return nil
}

// openRings opens the rings of all sources and lays the tracks for them.
func (s *session) openRings() error {
	s.layTracks()
	for i, src := range s.sources {
		rings, err := src.open(max(s.flags.rings.fanout, 1), s.flags.rings.group)
		s.assign(i, rings)
		if err != nil {
			return err
		}
		if got, want := src.geometry, src.config.Ring; got.Size() < want.Size() {
			fmt.Fprintf(s.errs, "icap: %s: memory is short; the ring is %s instead of %s\n", printable(src.at()), got, want)
		}
		switch {
		case s.flags.rings.split && src.byHand:
			return usagef("--split: the filter has %d instructions, more than the kernel takes, and workers do not run filters", len(src.filter.Insns))
		case s.flags.rings.split && src.ofPod():
			return usagef("--split: the legs of a pod are told apart by one worker only")
		}
	}
	return nil
}

func (s *session) closeRings() {
	for _, src := range s.sources {
		src.tracking.stop()
	}
	for _, t := range s.tracks {
		for _, r := range t.rings {
			_ = r.Close() // the statistics are read; nothing is left to lose
		}
	}
}

// checkOutput refuses an output that cannot be, before anything is opened.
func (s *session) checkOutput() error {
	if s.flags.rotation.rotates() || s.flags.trigger.perEvent {
		return s.openSeries()
	}
	switch s.flags.output {
	case "":
		return nil
	case "-":
		if term.IsTerminal(int(s.out.Fd())) {
			return usagef("-w -: standard output is a terminal; pipe it, or write to a file")
		}
		if closedAtStart(s.out) {
			return usagef("-w -: standard output is closed")
		}
		return nil
	}
	for _, path := range s.flags.outputs() {
		st, err := os.Lstat(path)
		if err == nil && st.Mode().IsRegular() && !s.flags.force {
			return outputError{&os.PathError{Op: "create", Path: path, Err: os.ErrExist}}
		}
	}
	return nil
}

// openSink opens an output. Last is told when the last of a limited number of
// files ends.
func (s *session) openSink(ctx context.Context, path string, last func(time.Time)) (recording, error) {
	if s.writing.direct {
		out, err := newDirectSink(ctx, s, path)
		if err == nil || !errors.Is(err, direct.ErrRefused) || s.flags.write == writeDirect {
			return out, err
		}
		s.writing = writing{why: direct.ErrRefused.Error()} // as its directory did not tell
	}
	out, err := s.newSink(ctx, path, last)
	if err != nil {
		return nil, err
	}
	if s.flags.trigger.on() {
		if out, err = s.triggered(out); err != nil {
			return nil, err
		}
	}
	if s.flags.stitch {
		out = &stitchSink{sink: out, session: s, options: *s.flags.stitching()}
	}
	return copying{out}, nil
}

// triggered lets an output have only what surrounds events.
func (s *session) triggered(out sink) (sink, error) {
	t, err := newTriggerSink(s, out)
	if err != nil {
		return nil, errors.Join(err, out.Discard())
	}
	return t, nil
}

// newSink prints packets, or writes them, or both.
func (s *session) newSink(ctx context.Context, path string, last func(time.Time)) (sink, error) {
	if path == "" {
		return newTextSink(s), nil
	}
	if s.flags.keys.path == "" {
		return s.newFile(ctx, path, last, nil)
	}
	keys, err := followKeyLog(s.flags.keys.path)
	if err != nil {
		return nil, err
	}
	file, err := s.newFile(ctx, path, last, keys.since)
	if err != nil {
		keys.close()
		return nil, err
	}
	s.keys = newKeySink(file, keys, &s.flags.keys)
	return s.keys, nil
}

// newFile writes packets, and prints them, too, if so wished. Secrets gives
// later files of a rotation the TLS secrets that they need; it may be nil.
func (s *session) newFile(ctx context.Context, path string, last func(time.Time), secrets func(time.Time) []byte) (keeper, error) {
	file, err := newFileSink(ctx, s, path, last, secrets)
	if err != nil {
		return nil, err
	}
	if !s.flags.alsoPrint {
		return file, nil
	}
	return &bothSinks{file, newTextSink(s)}, nil
}

// openSeries checks the names that rotations make.
func (s *session) openSeries() error {
	s.series = make(map[string]*series)
	for _, path := range s.flags.outputs() {
		made, err := openSeries(s.flags, path, time.Now())
		if err != nil {
			return err
		}
		s.series[path] = made
	}
	return nil
}

func (s *session) closeSeries() {
	for _, made := range s.series {
		_ = made.Close() // only a directory
	}
}

// header is what the file begins with.
func (s *session) header() *pcapwriter.Header {
	h := &pcapwriter.Header{
		Section: pcapwriter.Section{
			Hardware:    runtime.GOARCH,
			OS:          osName(),
			Application: "icap " + version,
			Comment:     s.comment,
		},
		Interfaces: s.interfaces,
	}
	h.Names = names(s.places())
	if slices.ContainsFunc(s.sources, (*source).ofPod) {
		h.Names = append(h.Names, proxyNames()...)
	}
	return h
}

// places are those of the sources, each once.
func (s *session) places() []*place {
	var all []*place
	for _, src := range s.sources {
		if !slices.Contains(all, src.place) {
			all = append(all, src.place)
		}
	}
	return all
}

// tellFault says what became of an interface.
func (s *session) tellFault(i int, err error) {
	at := printable(s.sources[i].at())
	if errors.Is(err, afpacket.ErrDown) {
		fmt.Fprintf(s.errs, "icap: %s is down; waiting for it\n", at)
		return
	}
	fmt.Fprintf(s.errs, "icap: %s: %v\n", at, err)
}
