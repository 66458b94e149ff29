package gather_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/pcapwriter"
)

// A script makes a stream as icap writes it.
type script struct {
	b         []byte
	links     []string // of the interfaces, without the leg
	delivered []uint64
}

// stream begins a stream with interfaces of these names.
func stream(names ...string) *script {
	s := new(script)
	s.section(names...)
	return s
}

func (s *script) section(names ...string) {
	s.b = pcapwriter.AppendSection(s.b, &pcapwriter.Section{Comment: "made for a test"})
	s.links, s.delivered = nil, nil
	for _, name := range names {
		s.iface(name)
	}
}

func (s *script) iface(name string) {
	s.b = pcapwriter.AppendInterface(s.b, &pcapwriter.Interface{
		Name: name, Description: "about " + name, OS: "linux", LinkType: 1, Snaplen: 262144})
	link, _, _ := strings.Cut(name, ":")
	s.links = append(s.links, link)
	s.delivered = append(s.delivered, 0)
}

// packet adds one at a time in milliseconds.
func (s *script) packet(i uint32, ms int64, data string) {
	s.add(&pcapwriter.Packet{Interface: i, Time: ms * 1e6, Data: []byte(data)})
}

func (s *script) add(p *pcapwriter.Packet) {
	s.b = pcapwriter.AppendPacket(s.b, p)
	s.delivered[p.Interface]++
}

// statistics are those of all interfaces so far, none of whose packets was
// dropped. Legs of one link share what was received, as icap writes it.
func (s *script) statistics(ms int64) {
	received := make(map[string]uint64)
	for i, n := range s.delivered {
		received[s.links[i]] += n
	}
	for i, n := range s.delivered {
		all := received[s.links[i]]
		s.b = pcapwriter.AppendStatistics(s.b, &pcapwriter.Statistics{Interface: uint32(i), Time: ms * 1e6,
			Start: 1e6, End: ms * 1e6, Received: all, Accepted: all, Delivered: n})
	}
}

// take returns what was added since it was last called.
func (s *script) take() []byte {
	b := s.b
	s.b = nil
	return b
}

// source is the whole stream.
func (s *script) source(node string) gather.Source {
	return gather.Source{Node: node, Stream: io.NopCloser(bytes.NewReader(s.b))}
}

// create makes the file that a test writes.
func create(tb testing.TB) *os.File {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "merged.pcapng"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

// merged merges whole streams, and returns the result and the file.
func merged(t *testing.T, c gather.Config, sources ...gather.Source) (*gather.Result, []byte) {
	t.Helper()
	f := create(t)
	g := gather.New(f, c)
	all := make(chan struct{})
	for _, s := range sources {
		s.Stream = &gated{s.Stream, all}
		if _, err := g.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	close(all)
	g.Close()
	r, err := g.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r, content(t, f)
}

// firstThen merges streams of which the first, a short one, is read to its end
// ahead of the others: they have to have interfaces like its.
func firstThen(t *testing.T, c gather.Config, first gather.Source, others ...gather.Source) (*gather.Result, []byte) {
	t.Helper()
	f := create(t)
	g := gather.New(f, c)
	closed := make(chan struct{})
	first.Stream = &closing{first.Stream, closed}
	for i, s := range append([]gather.Source{first}, others...) {
		if _, err := g.Add(s); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-closed
		}
	}
	g.Close()
	r, err := g.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r, content(t, f)
}

// A closing stream tells when it is closed.
type closing struct {
	io.ReadCloser
	closed chan struct{}
}

func (c *closing) Close() error {
	close(c.closed)
	return c.ReadCloser.Close()
}

// A gated stream is not read before all others are there.
type gated struct {
	io.ReadCloser
	gate chan struct{}
}

func (g *gated) Read(b []byte) (int, error) {
	<-g.gate
	return g.ReadCloser.Read(b)
}

func content(t *testing.T, f *os.File) []byte {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A block is one of a file, in words.
type block struct {
	*capfile.Block
	text string
}

// read reads a file that must be whole.
func read(t *testing.T, file []byte) (blocks []block) {
	t.Helper()
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return blocks
		}
		if err != nil {
			t.Fatal(err)
		}
		own := *b
		own.Raw = bytes.Clone(b.Raw)
		if b.Packet != nil {
			p := *b.Packet
			p.Data = bytes.Clone(p.Data)
			own.Packet = &p
		}
		blocks = append(blocks, block{&own, say(b)})
	}
}

// say is a block in words: "10 eth0 data" for a packet.
func say(b *capfile.Block) string {
	if p := b.Packet; p != nil {
		return fmt.Sprintf("%d %s %s", p.Time/1e6, p.Interface.Name, p.Data)
	}
	if s, ok := b.Statistics(); ok {
		return fmt.Sprintf("counted %d of %d", s.Delivered.N, s.Interface)
	}
	return map[uint32]string{capfile.TypeSection: "section", capfile.TypeInterface: "interface",
		capfile.TypeNames: "names", capfile.TypeSecrets: "secrets"}[b.Type]
}

// texts are the blocks behind the header in words.
func texts(blocks []block) (all []string) {
	for _, b := range blocks {
		if b.Type != capfile.TypeSection && b.Type != capfile.TypeInterface {
			all = append(all, b.text)
		}
	}
	return all
}
