package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
)

// A track leads from rings to an output. There is one, or with --split one for
// each of the rings that share an interface.
type track struct {
	rings  []*afpacket.Ring
	of     []int // the source of each ring
	out    recording
	result *capture.Result
	ask    chan struct{}
	told   chan sample
	cut    atomic.Bool // the next answer begins a new file
}

// outputs are the names of the files: that of -w, or one for each worker, with
// its number ahead of the extension.
func (f *captureFlags) outputs() []string {
	if !f.rings.split {
		return []string{f.output}
	}
	ext := filepath.Ext(f.output)
	names := make([]string, f.rings.fanout)
	for i := range names {
		names[i] = fmt.Sprintf("%s.%d%s", strings.TrimSuffix(f.output, ext), i, ext)
	}
	return names
}

func (s *session) layTracks() {
	for range s.flags.outputs() {
		s.tracks = append(s.tracks, &track{ask: make(chan struct{}), told: make(chan sample, 1)})
	}
}

// assign puts the rings of a source on the tracks.
func (s *session) assign(source int, rings []*afpacket.Ring) {
	for i, r := range rings {
		t := s.tracks[i%len(s.tracks)]
		t.rings = append(t.rings, r)
		t.of = append(t.of, source)
	}
}

// openSinks opens all outputs or none.
func (s *session) openSinks(ctx context.Context, last func(time.Time)) error {
	for i, path := range s.flags.outputs() {
		out, err := s.openSink(ctx, path, last)
		if err != nil {
			return errors.Join(err, s.discard())
		}
		s.tracks[i].out = out
	}
	return nil
}

// discard takes back the outputs.
func (s *session) discard() (err error) {
	for _, t := range s.tracks {
		if t.out != nil {
			err = errors.Join(err, t.out.Discard())
		}
	}
	return err
}

// capture runs all tracks until the context ends, which the end of any of them
// brings about, too, unless it failed and others go on.
func (s *session) capture(ctx context.Context, cancel func()) error {
	var starting atomic.Int32
	starting.Store(int32(len(s.tracks)))
	started := func() {
		if starting.Add(-1) > 0 {
			return
		}
		s.tellStart()
		s.startFollowers(ctx)
		if s.flags.endsWithInput() {
			s.endWithInput(ctx, cancel)
		}
		if s.flags.duration > 0 {
			time.AfterFunc(s.flags.duration, cancel)
		}
	}
	errs := make([]error, len(s.tracks))
	var tracks sync.WaitGroup
	var running atomic.Int32
	running.Store(int32(len(s.tracks)))
	for i, t := range s.tracks {
		tracks.Go(func() {
			defer cancel()
			errs[i] = s.captureTrack(ctx, i, t, started)
			others := running.Add(-1) > 0 && starting.Load() <= 0
			if others && errs[i] != nil && !errors.Is(errs[i], afpacket.ErrGone) {
				s.lose(ctx, t, errs[i])
			}
		})
	}
	tracks.Wait()
	s.watching.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) captureTrack(ctx context.Context, i int, t *track, started func()) (err error) {
	t.result = &capture.Result{Sources: make([]capture.Source, len(s.sources))}
	if len(s.tracks) > 1 {
		if err := s.flags.rings.cpus.take(i); err != nil {
			return err
		}
	}
	config := capture.Config{
		Rings:   t.rings,
		Of:      t.of,
		Shared:  len(s.tracks) > 1,
		Hook:    s.hookIfNeeded(),
		Count:   s.flags.count,
		Started: started,
		Fault:   s.tellFault,
		Ask:     t.ask,
		Answer:  t.answer,
		Nudge:   s.nudge,
		More:    s.more,
		Left:    s.leave(t),
	}
	if s.flags.trigger.on() {
		config.SinkCounts, config.Count = true, 0 // which the sink sees to
	}
	t.result, err = t.out.run(ctx, config)
	return err
}

// bytes is how much is in the outputs.
func (s *session) bytes() (n uint64) {
	for _, t := range s.tracks {
		_, own := t.out.Written()
		n += own
	}
	return n
}

// closeSinks closes all outputs and adds up what became of the packets.
func (s *session) closeSinks() (result *capture.Result, written []uint64, err error) {
	result = &capture.Result{Sources: make([]capture.Source, len(s.sources))}
	written = make([]uint64, len(s.interfaces))
	for _, t := range s.tracks {
		own, cerr := t.out.Close(t.result)
		err = errors.Join(err, cerr)
		result.Add(t.result)
		for i, n := range own {
			written[i] += n
		}
	}
	return result, written, err
}
