package direct_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/direct"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/pcapwriter"
)

func TestMain(m *testing.M) {
	lab.RunRole()
	os.Exit(m.Run())
}

func header() *pcapwriter.Header {
	return &pcapwriter.Header{
		Section:    pcapwriter.Section{Application: "test", Comment: "a test"},
		Interfaces: []pcapwriter.Interface{{Name: "vb", LinkType: 1, Snaplen: afpacket.MaxSnaplen}},
	}
}

// newFile makes a file on a disk that takes O_DIRECT.
func newFile(t testing.TB) (*os.File, *direct.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "direct.pcapng")
	if err := direct.Probe(path); err != nil {
		labtest.Skip(t, "needs a file system with O_DIRECT at TMPDIR: "+err.Error())
	}
	f, err := pcapwriter.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	out, err := direct.Create(f, header())
	if err != nil {
		t.Fatal(err)
	}
	return f, out
}

// run captures while traffic runs, then stops, closes the file, and checks the
// accounts. What comes before is done with the rings on the wire, and nobody
// looking at them yet.
func run(t testing.TB, c direct.Config, traffic func(), before ...func()) (*capture.Result, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Of = make([]int, len(c.Rings))
	c.Started = func() {
		for _, f := range before {
			f()
		}
		go func() {
			traffic()
			cancel()
		}()
	}
	result, err := direct.Run(ctx, c)
	if cerr := c.File.Close(result); err == nil {
		err = cerr
	}
	written, _ := c.File.Written()
	for i, s := range result.Sources {
		if s.Written+s.Dropped+s.Lost() != s.Received || s.Written != written[i] {
			t.Errorf("source %d: %+v does not add up, the file has %v", i, s, written)
		}
	}
	return result, err
}

// What is in the file is what tcpdump has of the same packets: every byte,
// length and nanosecond.
func TestAsTcpdump(t *testing.T) {
	w := newWire(t)
	all := everyLength()
	few := make([][]byte, 0, 200)
	for i := 0; i < len(all); i += 1 + len(all)/150 {
		few = append(few, all[i])
	}
	// Many small blocks, so that no pause of the machine costs a packet.
	many := afpacket.Config{Snaplen: 65540, Ring: afpacket.Geometry{BlockSize: 128 << 10, Blocks: 256}}
	early := many
	early.RetireTimeout = time.Millisecond
	for _, test := range []struct {
		name    string
		frames  [][]byte
		config  afpacket.Config
		snaplen int
		pause   time.Duration
		rings   int
	}{
		{name: "full blocks", frames: all, config: many, rings: 1},
		{name: "large blocks", frames: all, rings: 1},
		{name: "early blocks", frames: few, config: early, pause: 2 * time.Millisecond, rings: 1},
		{name: "cut to 96", frames: all, snaplen: 96, rings: 1},
		{name: "cut to 1001", frames: all, snaplen: 1001, rings: 1},
		{name: "three rings", frames: all, config: early, rings: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.snaplen > 0 {
				test.config.Filter = keep(t, test.snaplen)
			} else {
				test.snaplen = afpacket.MaxSnaplen
			}
			f, out := newFile(t)
			rings := w.open(t, test.config, test.rings)
			var want []packet
			result, err := run(t, direct.Config{Rings: rings, File: out}, func() {
				want = w.beside(t, test.snaplen, len(test.frames), func() { w.send(t, test.frames, test.pause) })
			})
			if err != nil {
				t.Fatal(err)
			}
			if total := result.Total(); total.Written != uint64(len(test.frames)) || len(want) != len(test.frames) {
				t.Fatalf("%+v, tcpdump has %d, sent %d", total, len(want), len(test.frames))
			}
			got := read(t, f.Name())
			judge(t, f.Name(), len(want))
			for i := range got { // the tag comes on top of what the filter keeps
				got[i].data = got[i].data[:min(len(got[i].data), test.snaplen)]
			}
			compare(t, got, want, test.rings == 1)
		})
	}
}
