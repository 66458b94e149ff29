package capture

import (
	"math"
	"os"
	"time"

	"icap/afpacket"
	"icap/pcapwriter"
)

// A File is the sink that writes pcapng.
type File struct {
	writer  *pcapwriter.Writer
	sources []int // of each interface in the file
	noFlags bool
	longest int // data that needs no cut
}

// NewFile writes the header to f at once. Sources has the index of the source
// of each of the header's interfaces: several interfaces of a file can show
// parts of what one source captures. The caller closes f, after File.Close.
func NewFile(f *os.File, h *pcapwriter.Header, sources []int) (*File, error) {
	return newFile(f, &FilesConfig{Header: h, Sources: sources})
}

func newFile(f *os.File, c *FilesConfig) (*File, error) {
	w, err := pcapwriter.NewWriter(f, c.Header, c.Writer)
	if err != nil {
		return nil, err
	}
	longest := int(c.Header.Interfaces[0].Snaplen)
	if longest == 0 {
		longest = math.MaxInt
	}
	return &File{writer: w, sources: c.Sources, noFlags: c.NoFlags, longest: longest}, nil
}

// Grow adds interfaces, of these sources, and names for what follows.
func (f *File) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	for i := range interfaces {
		if err := f.writer.AddInterface(&interfaces[i]); err != nil {
			return err
		}
	}
	f.sources = append(f.sources[:len(f.sources):len(f.sources)], sources...)
	return f.writer.AddNames(names)
}

// Packet adds one packet to the batch.
func (f *File) Packet(p *Packet) error {
	var how told
	if !f.noFlags {
		how = addressed[min(p.Type, afpacket.FromHost)]
	}
	if !p.VLAN.Present && p.DroppedBefore == 0 && p.Comment == "" {
		return f.writer.WriteFrame(uint32(p.Interface), p.Time, p.Data, p.Len, how.direction, how.reception)
	}
	return f.writer.WritePacket(&pcapwriter.Packet{
		Interface: uint32(p.Interface),
		Time:      p.Time,
		Data:      p.Data,
		Len:       p.Len,
		Direction: how.direction,
		Reception: how.reception,
		VLAN:      pcapwriter.VLAN(p.VLAN),
		Drops:     p.DroppedBefore,
		Comment:   p.Comment,
	})
}

// frames adds packets of a run to the batch, all of interface 0 and without
// options, beginning with the next one, and returns how many. They are in
// order, none is older than last, and with lookahead packets behind them it is
// the same. Frames ends ahead of a packet that Packet has to write, because it
// has a VLAN tag or is too long for the batch, and where the order ends.
//
// There is no scout, because going through a block in two places at a time
// takes the processor longer, by a quarter where packets differ in size. What
// turns out to be ahead of its place is taken back.
func (f *File) frames(r *run, last int64) (stretch, error) {
	const atOnce = 256
	from := r.offset
	s := f.put(&r.block, from, atOnce, last)
	r.startAt(s.next)
	if s.next != 0 && (r.time < s.last) {
		s = f.put(&r.block, from, max(s.packets-lookahead, 0), last)
		r.startAt(s.next)
	}
	return s, f.writer.Took(0, s.packets, s.bytes)
}

// A stretch is packets of a block, one after the other, that were put into the
// batch.
type stretch struct {
	packets int
	bytes   int    // in the batch
	last    int64  // time of the last one
	next    uint32 // offset of the one behind it, 0 if there is none
}

// put puts up to n packets of a block into the batch, without adding them yet.
func (f *File) put(b *afpacket.Block, at uint32, n int, last int64) stretch {
	room, used, packets := f.writer.Room(), 0, 0
	for packets < n && at != 0 {
		data, ns, wire, plain := b.Frame(at)
		if ns < last || !plain || len(data) > f.longest {
			break
		}
		size := pcapwriter.PutFrame(room[used:], 0, ns, data, wire)
		if size == 0 {
			break
		}
		used += size
		packets++
		last = ns
		at = b.Next(at)
	}
	return stretch{packets, used, last, at}
}

// told is how the type of a packet is told in the file.
type told struct {
	direction pcapwriter.Direction
	reception pcapwriter.Reception
}

// addressed says it for every type.
var addressed = [...]told{
	afpacket.ToHost:   {pcapwriter.Inbound, pcapwriter.Unicast},
	afpacket.ToAll:    {pcapwriter.Inbound, pcapwriter.Broadcast},
	afpacket.ToGroup:  {pcapwriter.Inbound, pcapwriter.Multicast},
	afpacket.ToOther:  {pcapwriter.Inbound, pcapwriter.Promiscuous},
	afpacket.FromHost: {pcapwriter.Outbound, pcapwriter.ReceptionUnknown},
}

// AddSecrets puts lines of a TLS key log ahead of the packets that follow.
func (f *File) AddSecrets(lines []byte) error { return f.writer.AddSecrets(lines) }

// Flush writes the batch.
func (f *File) Flush() error { return f.writer.Flush() }

// Size is how many bytes the file has, with what is still in the batch.
func (f *File) Size() uint64 { return f.writer.Size() }

// Close writes what is left and, for every interface, the statistics by which
// the file proves its own completeness. The counts of what the kernel
// received and dropped, and of what the hook accepted of it, are those of the
// interface's source, which several interfaces of the file may share; what was
// delivered is the interface's own.
func (f *File) Close(r *Result) error {
	return f.end(r.Sources, r.Start, r.End)
}

// end is Close with what became of the sources between two times.
func (f *File) end(sources []Source, from, to time.Time) error {
	err := f.writer.Drain()
	if serr := f.statistics(sources, from, to, to.UnixNano()); err == nil {
		err = serr
	}
	if cerr := f.writer.Close(); err == nil {
		err = cerr
	}
	return err
}

// record writes the statistics so far, at a time when the capture goes on.
func (f *File) record(sources []Source, from, now time.Time) error {
	return f.statistics(sources, from, now, 0)
}

// statistics writes those of all interfaces, which are the last ones if there
// is an end. One that cannot be written does not keep the others from being
// tried.
func (f *File) statistics(sources []Source, from, to time.Time, end int64) (err error) {
	for i, source := range f.sources {
		s := &sources[source]
		if serr := f.writer.WriteStatistics(&pcapwriter.Statistics{
			Interface: uint32(i),
			Time:      to.UnixNano(),
			Start:     from.UnixNano(),
			End:       end,
			Received:  s.Received,
			Dropped:   s.Dropped,
			Accepted:  s.Received - min(s.Received, s.Excluded),
			OSDropped: s.Dropped,
			Delivered: f.Written(i),
		}); err == nil {
			err = serr
		}
	}
	return err
}

// Written is how many packets of an interface are in the file.
func (f *File) Written(i int) uint64 { return f.writer.Delivered(i) }

// empty reports whether there is no packet in the file.
func (f *File) empty() bool {
	for i := range f.sources {
		if f.Written(i) > 0 {
			return false
		}
	}
	return true
}

// Stats tells what became of all packets.
func (f *File) Stats() pcapwriter.Stats { return f.writer.Stats() }
