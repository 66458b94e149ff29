package gather_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"icap/internal/capfile"
	"icap/internal/gather"
)

// chunks reads a stream in pieces of any size.
type chunks struct {
	rest   []byte
	random *rand.Rand
}

func (c *chunks) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), len(c.rest), c.random.IntN(1<<c.random.IntN(18))+1)
	copy(b, c.rest[:n])
	c.rest = c.rest[n:]
	return n, nil
}

func (*chunks) Close() error { return nil }

// random makes a stream whose packets are in order, with interfaces, sections
// and statistics in between.
func random(r *rand.Rand, name string, most, bits int) []byte {
	s := stream(name + "0")
	now := r.Int64N(100)
	for range r.IntN(most) {
		switch r.IntN(20) {
		case 0:
			s.iface(fmt.Sprint(name, len(s.delivered)))
		case 1:
			s.statistics(now)
		case 2:
			s.statistics(now)
			s.section(name + "0")
		default:
			now += r.Int64N(5)
			size := r.IntN(1 << r.IntN(bits))
			s.packet(uint32(r.IntN(len(s.delivered))), now, fmt.Sprint(name, now, string(make([]byte, size))))
		}
	}
	s.statistics(now)
	return s.b
}

// TestWholeStreams merges streams that are whole and in order: the file has all
// of their packets, each stream's in its order, all in the order of time, and
// proves itself.
func TestWholeStreams(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 9))
		streams := make(map[string][]byte)
		var sources []gather.Source
		for i := range 1 + r.IntN(12) {
			name := fmt.Sprint("n", i)
			streams[name] = random(r, name, 400, 16)
			sources = append(sources, gather.Source{Node: name, Stream: &chunks{streams[name], rand.New(rand.NewPCG(seed, uint64(i)))}})
		}
		result, file := merged(t, gather.Config{Delay: time.Hour, Memory: 1}, sources...)
		checkWhole(t, streams, result, file)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkWhole(t *testing.T, streams map[string][]byte, result *gather.Result, file []byte) {
	t.Helper()
	got := make(map[string][]string)
	last, n := int64(0), uint64(0)
	for _, b := range read(t, file) {
		if p := b.Packet; p != nil {
			node := nodeOf(p.Interface.Description)
			got[node] = append(got[node], bare(p))
			n++
			if p.Time < last {
				t.Error("out of order")
			}
			last = p.Time
		}
	}
	if result.Late > 0 || result.Packets != n {
		t.Errorf("late %d, %d packets counted, %d in the file", result.Late, result.Packets, n)
	}
	for _, s := range result.Streams {
		want := packetsOf(streams[s.Node])
		if s.Err != nil || !slices.Equal(got[s.Node], want) || s.Packets != uint64(len(want)) || s.Received != s.Packets {
			t.Errorf("%s: %d packets in the file, want %d; %+v", s.Node, len(got[s.Node]), len(want), s)
		}
	}
	if most := int64(2<<20 + len(result.Streams)*16<<10); result.MostHeld > most || result.Held != 0 {
		t.Errorf("held %d bytes, more than %d, at the end %d", result.MostHeld, most, result.Held)
	}
	a, err := capfile.Count(reader(t, file))
	if err != nil {
		t.Error(err)
	}
	for _, i := range a.Interfaces {
		if i.Since > 0 || i.Packets > 0 && i.Statistics.Delivered.N != i.Packets {
			t.Errorf("%s in %q: %d packets, %d behind the statistics %+v", i.Name, i.Description, i.Packets, i.Since, i.Statistics)
		}
	}
}

func reader(t *testing.T, file []byte) *capfile.Reader {
	t.Helper()
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// nodeOf is the node's name in a description.
func nodeOf(description string) (node string) {
	_, _ = fmt.Sscanf(gather.Origin(description), "node %s", &node) // else it is empty
	return node
}

// bare is a packet without its interface, whose name becomes valid UTF-8.
func bare(p *capfile.Packet) string { return fmt.Sprint(p.Time, " ", p.Len, " ", string(p.Data)) }

// packetsOf are the packets of a stream, up to where it is wrong.
func packetsOf(raw []byte) (all []string) {
	r, err := capfile.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	for {
		b, err := r.Next()
		if err != nil {
			return all
		}
		if b.Packet != nil {
			all = append(all, bare(b.Packet))
		}
	}
}

// FuzzStreams merges anything with a stream that is right. That one comes
// through whole, what is right of the others too, and the file can be read.
func FuzzStreams(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(random(rand.New(rand.NewPCG(seed, 1)), "a", 20, 6), random(rand.New(rand.NewPCG(seed, 2)), "b", 20, 6), seed)
	}
	whole := random(rand.New(rand.NewPCG(7, 7)), "a", 20, 6)
	f.Add(whole[:len(whole)-5], whole[:200], uint64(1))
	f.Add(append(bytes.Clone(whole), whole...), []byte("neither pcapng nor anything"), uint64(2))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		good := random(rand.New(rand.NewPCG(seed, 3)), "good", 60, 16)
		streams := map[string][]byte{"a": a, "b": b, "good": good}
		var sources []gather.Source
		for i, node := range []string{"good", "a", "b"} {
			raw := bytes.Clone(streams[node])
			sources = append(sources, gather.Source{Node: node, Stream: &chunks{raw, rand.New(rand.NewPCG(seed, uint64(i)))}})
		}
		result, file := firstThen(t, gather.Config{Delay: time.Millisecond, Memory: 1, Align: seed%2 == 0}, stream("anchor").source("anchor"), sources...)
		got := make(map[string][]string)
		for _, b := range read(t, file) {
			if p := b.Packet; p != nil {
				node := nodeOf(p.Interface.Description)
				got[node] = append(got[node], bare(p))
			}
		}
		for _, s := range result.Streams {
			checkPrefix(t, &s, got[s.Node], packetsOf(streams[s.Node]))
		}
		if most := int64(2<<20 + 4*16<<10); result.MostHeld > most {
			t.Errorf("held %d bytes", result.MostHeld)
		}
	})
}

// checkPrefix holds what was merged of a stream against what is right of it.
func checkPrefix(t *testing.T, s *gather.StreamResult, got, want []string) {
	t.Helper()
	var torn *capfile.TornError
	whole := s.Err == nil || errors.As(s.Err, &torn) || errors.Is(s.Err, gather.ErrCut)
	if len(got) > len(want) || whole && len(got) != len(want) || s.Node == "good" && s.Err != nil {
		t.Fatalf("%s: %d packets, want %d: %v", s.Node, len(got), len(want), s.Err)
	}
	if !slices.Equal(got, want[:len(got)]) {
		t.Errorf("%s: packets changed", s.Node)
	}
}
