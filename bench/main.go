package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
	"icap/bench/internal/report"
)

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = benchmark(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// benchmark takes everything down again that it makes, whichever way it ends.
func benchmark(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	r := report.Report{Command: o.command, Partial: o.partial, Machine: report.Machine(time.Now())}
	if err := o.places(&r); err != nil {
		return err
	}
	binaries, err := measure.NewScratch(os.TempDir()) // tmpfs may be mounted noexec
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, binaries.Close()) }()
	missing := r.Missing
	if r.Peers, r.Missing, err = o.find(ctx, binaries.Path); err != nil {
		return err
	}
	r.Missing = append(r.Missing, missing...)
	for _, m := range r.Missing {
		fmt.Fprintln(os.Stderr, "not measured:", m)
	}

	b, err := measure.New(measure.Config{
		Memory: o.memory, Disk: o.disk, Transmit: o.transmit, Many: o.suite.Many,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	r.Setup = append([]string{"load: " + b.Load, "CPUs: " + b.CPUs.String()}, r.Setup...)
	fmt.Fprintln(os.Stderr, r.Setup[0])
	if r.Outcome, err = o.suite.Do(ctx, b, r.Peers, os.Stderr); err != nil {
		return errors.New("interrupted")
	}
	if err := o.show(&r); err != nil {
		return err
	}
	if n := len(r.Faults); n > 0 {
		return fmt.Errorf("%d runs did not give what they should", n)
	}
	return nil
}

// places makes sure of the folders, and leaves out what has none.
func (o *options) places(r *report.Report) error {
	memory, disk := o.suite.Room()
	if err := o.place(r, o.memory, memory, false); err != nil {
		return err
	}
	if o.disk != "" {
		return o.place(r, o.disk, disk, true)
	}
	for _, j := range o.suite.WithoutDisk() {
		r.Missing = append(r.Missing, j.String()+": no folder is given by -disk")
	}
	return nil
}

// place makes sure of one folder, and finds out whether it takes O_DIRECT.
func (o *options) place(r *report.Report, dir string, need int64, disk bool) error {
	if err := measure.CheckRoom(dir, need, disk); err != nil {
		return err
	}
	direct, err := measure.TakesDirect(dir)
	if direct || err != nil {
		return err
	}
	target := measure.Job{Disk: disk}.Target()
	r.Missing = append(r.Missing, fmt.Sprintf("%s, %s: it does not take O_DIRECT", peer.Direct, target))
	if !disk {
		o.suite.DiskOnly = append(o.suite.DiskOnly, peer.Direct)
		return nil
	}
	for i := range o.suite.Jobs {
		if j := &o.suite.Jobs[i]; j.Disk {
			j.Without = append(j.Without, peer.Direct)
		}
	}
	return nil
}

// find finds the peers that were asked for, and builds what has to be built
// into a folder.
func (o *options) find(ctx context.Context, dir string) ([]peer.Peer, []string, error) {
	icap := o.icap
	if icap == "" {
		var err error
		if icap, err = peer.BuildIcap(ctx, dir); err != nil {
			return nil, nil, err
		}
	}
	return peer.Choose(ctx, peer.List(icap), o.peers, dir)
}

// show prints the report, and writes it and the chart where they are wanted.
func (o *options) show(r *report.Report) error {
	if err := r.Write(os.Stdout); err != nil {
		return err
	}
	if o.chart != "" {
		f, err := os.Create(o.chart)
		if err != nil {
			return err
		}
		if err := errors.Join(r.Draw(f), f.Close()); err != nil {
			return err
		}
		r.Chart = filepath.Base(o.chart)
	}
	if o.output == "" {
		return nil
	}
	f, err := os.Create(o.output)
	if err != nil {
		return err
	}
	return errors.Join(r.Write(f), f.Close())
}
