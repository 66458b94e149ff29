package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"icap/internal/flow"
	"icap/internal/report"
)

// liveFlows shows the connections of a capture on a terminal while it runs, as
// a table that is drawn anew each second. It leaves the terminal as it is: no
// modes are set, so none have to be restored, and messages scroll by above it.
type liveFlows struct {
	out, errs *os.File
	order     string

	tracked sync.Mutex // around the flows
	flows   *report.Flows

	drawn sync.Mutex // around the terminal
	lines []string   // that are on it

	done    chan struct{}
	running sync.WaitGroup
}

// drawEvery is how often the table changes.
const drawEvery = time.Second

// newLiveFlows returns nil unless standard output is a terminal that can move
// its cursor.
func newLiveFlows(cmd *cobra.Command, order string, flows *report.Flows) *liveFlows {
	out, ok := cmd.OutOrStdout().(*os.File)
	errs, eok := cmd.ErrOrStderr().(*os.File)
	if !ok || !eok || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	l := &liveFlows{out: out, errs: errs, order: order, flows: flows, done: make(chan struct{})}
	if term.IsTerminal(int(errs.Fd())) {
		cmd.SetErr(l)
	}
	return l
}

// see passes a packet on.
func (l *liveFlows) see(s *flow.Sighting) {
	l.tracked.Lock()
	defer l.tracked.Unlock()
	l.flows.See(s)
}

// start begins to draw.
func (l *liveFlows) start() {
	every := time.NewTicker(drawEvery)
	l.running.Go(func() {
		defer every.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-every.C:
				l.draw()
			}
		}
	})
}

// stop takes the table away.
func (l *liveFlows) stop() {
	close(l.done)
	l.running.Wait()
	l.show(nil)
}

// Write prints a message above the table.
func (l *liveFlows) Write(p []byte) (int, error) {
	l.drawn.Lock()
	defer l.drawn.Unlock()
	before := l.lines
	l.replace(nil)
	n, err := l.errs.Write(p)
	l.replace(before)
	return n, err
}

// draw shows how it is now. A terminal that does not take it is no reason to
// stop, and does not hold packets up.
func (l *liveFlows) draw() {
	width, height, err := term.GetSize(int(l.out.Fd()))
	if err != nil || width < 2 || height < 4 {
		return
	}
	// The last column stays empty, and so does the last line: to write there
	// would make the terminal scroll.
	l.show(l.table(width-1, height-1))
}

func (l *liveFlows) show(lines []string) {
	l.drawn.Lock()
	defer l.drawn.Unlock()
	l.replace(lines)
}

// replace puts lines in the place of those that are there.
func (l *liveFlows) replace(lines []string) {
	var b strings.Builder
	if len(l.lines) > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA\x1b[J", len(l.lines)) // up, and erase what is below
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	l.lines = lines
	_, _ = io.WriteString(l.out, b.String())
}

// table has at most as many lines as there is room for.
func (l *liveFlows) table(width, height int) []string {
	l.tracked.Lock()
	defer l.tracked.Unlock()
	all := l.flows.Conns()
	open := 0
	for _, c := range all {
		if c.Proto == flow.ProtoTCP && (c.End == flow.Open || c.End == flow.HalfClosed) {
			open++
		}
	}
	title := fmt.Sprintf("%d connections, %d of TCP are open; by %s", len(all), open, l.order)
	const around = 2 // the title and the names of the columns
	if room := max(height-around, 0); len(all) > room {
		title += fmt.Sprintf("; %d are not shown", len(all)-room)
		if l.order == "start" {
			all = all[len(all)-room:] // what is new matters most
		}
		all = all[:room]
	}
	g := grid{head: report.FlowColumns(), spare: []string{"START", "TIME", "UP", "DOWN", "LEG"}}
	for _, c := range all {
		g.rows = append(g.rows, report.FlowRow(c))
	}
	return append([]string{cut(title, width)}, g.fit(width)...)
}
