package gather

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

// A section is what a stream's current section has.
type section struct {
	part       int      // of the node's sections, from 1
	about      []byte   // options of the header that a reader should see
	interfaces []uint32 // by their places in the file
	rings      []int    // of the interfaces, by their places in Stream.rings
	first      int      // of the rings that are of this section
}

// A ring is what a node captured with: interfaces that are legs of one place
// share its counts.
type ring struct {
	name              string
	received, dropped uint64
}

// look makes a block ready to be written behind those of other streams. It is
// queued among the packets, or needs not be.
func (s *Stream) look(b *capfile.Block) (queued bool, err error) {
	if b.Order != binary.LittleEndian {
		return false, s.wrongBlock(b, "its byte order is not that of the file")
	}
	switch b.Type {
	case capfile.TypePacket:
		return true, s.lookPacket(b)
	case capfile.TypeStatistics:
		return true, s.lookStatistics(b)
	case capfile.TypeSection:
		s.beginSection(b)
	case capfile.TypeInterface:
		return false, s.lookInterface(b)
	case capfile.TypeNames, capfile.TypeSecrets:
		s.g.atOnce(b)
	case capfile.TypeOldPacket, capfile.TypeSimple:
		return false, s.wrongBlock(b, fmt.Sprintf("packets in blocks of type %d cannot be merged", b.Type))
	default:
		s.g.mu.Lock()
		s.result.Skipped++
		s.g.mu.Unlock()
	}
	return false, nil
}

func (s *Stream) wrongBlock(b *capfile.Block, reason string) error {
	return &capfile.FormatError{Offset: b.Offset, Reason: reason}
}

func (s *Stream) lookPacket(b *capfile.Block) error {
	p := b.Packet
	if n := int(p.Interface.Snaplen); n > 0 && len(p.Data) > n {
		return s.wrongBlock(b, fmt.Sprintf("the packet has %d bytes, and its interface says at most %d", len(p.Data), n))
	}
	b.SetTime(s.shift.apply(p.Time))
	b.Renumber(s.section.interfaces[p.Interface.Index])
	s.since++
	s.packets++
	return nil
}

func (s *Stream) lookStatistics(b *capfile.Block) error {
	stats, ok := b.Statistics()
	i := uint64(stats.Interface)
	if !ok || i >= uint64(len(s.section.interfaces)) {
		return s.wrongBlock(b, "the statistics are of an interface that the section does not have")
	}
	b.RetimeStatistics(s.decoder.Interface(int(i)), s.shift.fixed)
	b.Renumber(s.section.interfaces[i])
	s.since = 0
	received := stats.Accepted
	if !received.Told {
		received = stats.Received
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	r := &s.rings[s.section.rings[i]]
	r.received, r.dropped = received.N, max(stats.Dropped.N, stats.OSDropped.N)
	return nil
}

// beginSection forgets the interfaces of the section before.
func (s *Stream) beginSection(b *capfile.Block) {
	g := s.g
	g.mu.Lock()
	defer g.mu.Unlock()
	s.begun = true
	g.parts[s.result.Node]++
	s.result.Sections++
	s.section = section{part: g.parts[s.result.Node], about: comments(b), first: len(s.rings)}
}

// lookInterface gives an interface its place in the file.
func (s *Stream) lookInterface(b *capfile.Block) error {
	in := s.decoder.Interface(len(s.section.interfaces))
	out := pcapwriter.Interface{
		Name:     in.Name,
		LinkType: in.LinkType,
		Snaplen:  in.Snaplen,
		Options:  append(s.section.about, otherOptions(b)...),
	}
	s.section.about = nil
	g := s.g
	g.mu.Lock()
	defer g.mu.Unlock()
	out.Description = describe(s.result.Node, s.section.part, s.result.Clock, g.config.Align, in.Description)
	n, err := g.control.addInterface(&out)
	if err != nil {
		return s.wrongBlock(b, err.Error())
	}
	s.section.interfaces = append(s.section.interfaces, n)
	s.section.rings = append(s.section.rings, s.ringOf(in.Name))
	g.signal()
	return nil
}

// ringOf is the ring that an interface of the section belongs to, by its name
// without the leg: IF:LEG@POD.
func (s *Stream) ringOf(name string) int {
	if link, leg, ok := strings.Cut(name, ":"); ok {
		_, pod, _ := strings.Cut(leg, "@")
		name = link + "@" + pod
		own := s.rings[s.section.first:]
		if i := slices.IndexFunc(own, func(r ring) bool { return r.name == name }); i >= 0 {
			return s.section.first + i
		}
	}
	s.rings = append(s.rings, ring{name: name})
	return len(s.rings) - 1
}

// Options of an interface that are written anew, from "Interface Description
// Block" of the draft. Times become nanoseconds.
const (
	optionName        = 2
	optionDescription = 3
	optionResolution  = 9
	optionZone        = 10
	optionOffset      = 14
)

// otherOptions are the options of an interface that stay as they are.
func otherOptions(b *capfile.Block) []byte {
	return options(b, func(code uint16) bool {
		switch code {
		case optionName, optionDescription, optionResolution, optionZone, optionOffset:
			return false
		}
		return true
	})
}

// comments are those of a section. The one section of the file has others, so
// they go to the section's first interface.
func comments(b *capfile.Block) []byte {
	return options(b, func(code uint16) bool { return code == capfile.OptionComment })
}

// options copies some options of a block.
func options(b *capfile.Block, wanted func(code uint16) bool) (out []byte) {
	at, ok := b.OptionsAt()
	if !ok {
		return nil
	}
	all := b.Raw[at : len(b.Raw)-4]
	for o, rest, ok := capfile.NextOption(all, b.Order); ok; o, rest, ok = capfile.NextOption(rest, b.Order) {
		if n := (4 + len(o.Value) + 3) &^ 3; wanted(o.Code) && n <= len(all) {
			out = append(out, all[:n]...)
		}
		all = rest
	}
	return out
}
