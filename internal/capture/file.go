package capture

import (
	"os"

	"icap/afpacket"
	"icap/pcapwriter"
)

// A File is the sink that writes pcapng.
type File struct {
	writer  *pcapwriter.Writer
	sources []int // of each interface in the file
	packet  pcapwriter.Packet
}

// NewFile writes the header to f at once. Sources has the index of the source
// of each of the header's interfaces: several interfaces of a file can show
// parts of what one source captures. The caller closes f, after File.Close.
func NewFile(f *os.File, h *pcapwriter.Header, sources []int) (*File, error) {
	w, err := pcapwriter.NewWriter(f, h, pcapwriter.Config{})
	if err != nil {
		return nil, err
	}
	return &File{writer: w, sources: sources}, nil
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
	out := &f.packet
	out.Interface = uint32(p.Interface)
	out.Time, out.Data, out.Len = p.Time, p.Data, p.Len
	out.VLAN = pcapwriter.VLAN(p.VLAN)
	out.Drops = p.DroppedBefore
	how := addressed[min(p.Type, afpacket.FromHost)]
	out.Direction, out.Reception = how.direction, how.reception
	return f.writer.WritePacket(out)
}

// addressed says how the types of a packet are told in the file.
var addressed = [...]struct {
	direction pcapwriter.Direction
	reception pcapwriter.Reception
}{
	afpacket.ToHost:   {pcapwriter.Inbound, pcapwriter.Unicast},
	afpacket.ToAll:    {pcapwriter.Inbound, pcapwriter.Broadcast},
	afpacket.ToGroup:  {pcapwriter.Inbound, pcapwriter.Multicast},
	afpacket.ToOther:  {pcapwriter.Inbound, pcapwriter.Promiscuous},
	afpacket.FromHost: {pcapwriter.Outbound, pcapwriter.ReceptionUnknown},
}

// Flush writes the batch.
func (f *File) Flush() error { return f.writer.Flush() }

// Close writes what is left and, for every interface, the statistics by which
// the file proves its own completeness. The counts of what the kernel
// received and dropped are those of the interface's source, which several
// interfaces of the file may share; what was delivered is the interface's own.
func (f *File) Close(r *Result) error {
	err := f.writer.Flush()
	for i, source := range f.sources {
		s := &r.Sources[source]
		if serr := f.writer.WriteStatistics(&pcapwriter.Statistics{
			Interface: uint32(i),
			Time:      r.End.UnixNano(),
			Start:     r.Start.UnixNano(),
			End:       r.End.UnixNano(),
			Received:  s.Received,
			Dropped:   s.Dropped,
			Accepted:  s.Received,
			OSDropped: s.Dropped,
			Delivered: f.Written(i),
		}); err == nil {
			err = serr
		}
	}
	if cerr := f.writer.Close(); err == nil {
		err = cerr
	}
	return err
}

// Written is how many packets of an interface are in the file.
func (f *File) Written(i int) uint64 { return f.writer.Delivered(i) }

// Stats tells what became of all packets.
func (f *File) Stats() pcapwriter.Stats { return f.writer.Stats() }
