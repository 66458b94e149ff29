package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/gather"
	"icap/nsswitch"
)

// A far is a capture whose stream is gathered.
type far struct {
	*proc
	stream *gather.Stream
}

// gatherFrom captures UDP on an interface, as a node of this name.
func gatherFrom(t *testing.T, g *gather.Gatherer, node string, ns *nsswitch.NS, link string) far {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := icap(t, "--netns", ns.String(), "-i", link, "-w", "-", "udp")
	cmd.Stdout = w
	p := start(t, nil, listening, cmd)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stream, err := g.Add(gather.Source{Node: node, Stream: r, Clock: measured(t)})
	if err != nil {
		t.Fatal(err)
	}
	return far{p, stream}
}

// measured is what icap clock says of the clock, which is that of this machine.
func measured(t *testing.T) gather.Offset {
	t.Helper()
	cmd := icap(t, "clock")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o, err := gather.NewClock(struct {
		io.Reader
		io.Writer
	}{out, in}).Measure()
	if err != nil {
		t.Fatal(err)
	}
	if o.Ahead.Abs() > o.Uncertainty {
		t.Errorf("this machine's clock is %v from itself", o)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("icap clock at the end of its input: %v", err)
	}
	return o
}

// TestGather merges two live captures at the two ends of a wire: the file grows
// while they run, each packet is seen to leave before it is seen to come, all
// programs read it without a word, and it proves itself. When one capture is
// killed, the other goes on, and the file says whose packets it lacks.
func TestGather(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("kill %v", kill), func(t *testing.T) {
			const n = 300
			w := newWire(t)
			path := temp(t, "gathered.pcapng")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			g := gather.New(f, gather.Config{Delay: time.Second})
			a := gatherFrom(t, g, "node-a", w.a, "va")
			b := gatherFrom(t, g, "node-b", w.b, "vb")
			result := make(chan *gather.Result)
			go func() {
				r, err := g.Run(context.Background())
				if err != nil {
					t.Error(err)
				}
				result <- r
			}()
			w.send(t, n, 200)
			waitFor(t, "packets in the file while it is captured", func() bool { return g.Result().Packets == 2*n })
			if kill {
				_ = b.Process.Kill()
				waitFor(t, "the end of the stream", func() bool { return b.stream.Result().Ended })
			}
			w.send(t, n, 200)
			ends := []far{a, b}
			if kill {
				ends = ends[:1]
			}
			for _, p := range ends {
				if code := p.end(syscall.SIGTERM); code != exitDone {
					t.Errorf("exit code %d\n%s", code, p.text())
				}
			}
			g.Close()
			r := <-result
			want := 4 * n
			if kill {
				want = 3 * n
			}
			if r.Late > 0 || r.Packets != uint64(want) || r.Streams[0].Err != nil || (r.Streams[1].Err != nil) != kill {
				t.Errorf("%+v", r)
			}
			judgeGathered(t, path, want, kill)
		})
	}
}

// waitFor waits for what must come, up to the timeout of the test.
func waitFor(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !there(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}

func judgeGathered(t *testing.T, path string, want int, killed bool) {
	t.Helper()
	rows := strings.Split(strings.TrimSpace(output(t, "tshark", "-n", "-r", path, "-T", "fields",
		"-e", "frame.time_epoch", "-e", "frame.interface_description", "-e", "ip.id")), "\n")
	if len(rows) != want || !slices.IsSorted(rows) {
		t.Errorf("tshark reads %d packets, want %d; in order: %v", len(rows), want, slices.IsSorted(rows))
	}
	left := make(map[string]bool)
	for _, row := range rows {
		words := strings.Split(row, "\t")
		switch id := words[2]; {
		case strings.HasPrefix(words[1], "node node-a, clock "):
			left[id] = true
		case !strings.HasPrefix(words[1], "node node-b, clock "), !left[id]:
			t.Errorf("a packet came before it left, or from nowhere: %s", row)
		}
	}
	if got := strings.Count(output(t, "tcpdump", "-n", "-r", path), "\n"); got != want {
		t.Errorf("tcpdump reads %d packets, want %d", got, want)
	}
	if got := output(t, "capinfos", "-M", "-c", path); !strings.Contains(got, fmt.Sprint(want)) {
		t.Errorf("capinfos says %s", got)
	}
	code, text := said(t, "check", path)
	switch {
	case !killed && (code != exitDone || !strings.Contains(text, fmt.Sprintf("complete, %d packets", want))):
		t.Errorf("exit code %d\n%s", code, text)
	case killed && (code != exitFailed || !strings.Contains(text, "node node-b, vb") || strings.Contains(text, "node node-a")):
		t.Errorf("exit code %d\n%s", code, text)
	}
}
