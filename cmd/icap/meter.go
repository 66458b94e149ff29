package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"icap/internal/capture"
)

// statFlags say what is told while a capture runs.
type statFlags struct {
	interval   time.Duration
	json       bool
	noProgress bool
}

func (f *statFlags) register(fs *pflag.FlagSet) {
	fs.DurationVar(&f.interval, "stats-interval", 0, "tell the counts on stderr every so often, such as 10s; SIGUSR1 tells them at once")
	fs.BoolVar(&f.json, "stats-json", false, "tell the counts as one JSON object a line, and once more at the end")
	fs.BoolVar(&f.noProgress, "no-progress", false, "no progress line on a terminal")
}

// check refuses what makes no sense.
func (f *statFlags) check() error {
	const least = 100 * time.Millisecond
	if f.interval != 0 && f.interval < least {
		return usagef("--stats-interval %v is under %v", f.interval, least)
	}
	return nil
}

// A meter tells the counts of a session while it runs. It asks the capture
// from a goroutine of its own, so that a terminal that stands still does not
// hold packets up.
type meter struct {
	session *session
	begin   time.Time
	last    sample // of the progress line
	lastAt  time.Time
	done    chan struct{}
	running sync.WaitGroup
}

func (s *session) newMeter() *meter {
	return &meter{session: s, begin: time.Now(), done: make(chan struct{})}
}

// progressEvery is how often the progress line changes.
const progressEvery = time.Second

func (m *meter) start(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	hung := make(chan os.Signal, 1)
	if m.session.flags.rotation.hup == hupRotate {
		signal.Ignore(syscall.SIGHUP) // takes it from those whom it would end
		signal.Notify(hung, syscall.SIGHUP)
	}
	var every, second <-chan time.Time
	if d := m.session.flags.stats.interval; d > 0 {
		every = time.Tick(d)
	}
	if m.progresses() {
		second = time.Tick(progressEvery)
	}
	m.running.Go(func() {
		defer signal.Stop(asked)
		defer signal.Stop(hung)
		for {
			select {
			case <-asked:
				m.tell()
			case <-hung:
				m.session.cut()
			case <-every:
				m.tell()
			case <-second:
				m.progress()
			case <-m.done:
				return
			}
		}
	})
}

// stop ends the telling, and takes the progress line away.
func (m *meter) stop() {
	close(m.done)
	m.running.Wait()
	m.session.errs.show("")
}

// progresses reports whether somebody sees a progress line.
func (m *meter) progresses() bool {
	f := m.session.flags
	err, ok := m.session.errs.out.(*os.File)
	return ok && f.output != "" && !f.stats.noProgress && !f.stats.json && term.IsTerminal(int(err.Fd()))
}

// tell tells the counts once.
func (m *meter) tell() {
	s, ok := m.session.sample()
	if !ok {
		m.session.tellBlocked()
		return
	}
	m.session.tellCounts(&s, time.Since(m.begin), false)
}

// tellEnd tells the last counts, for programs that read them.
func (m *meter) tellEnd(r *capture.Result, written []uint64) {
	if m.session.flags.stats.json {
		last := sample{result: r, written: written, bytes: m.session.bytes()}
		m.session.tellCounts(&last, time.Since(m.begin), true)
	}
}
