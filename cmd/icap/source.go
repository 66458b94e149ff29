package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"icap/afpacket"
	"icap/bpfc"
	"icap/internal/capture"
	"icap/internal/flow"
	"icap/internal/kernel"
	"icap/istiofilter"
	"icap/pcapwriter"
)

// A source is one interface to capture on.
type source struct {
	place  *place
	link   kernel.Link
	expr   string
	filter *bpfc.Program
	config afpacket.Config

	byHand   bool // icap runs the filter, not the kernel
	meta     bpfc.Meta
	rejected uint64 // packets that it did not let through
	skipped  uint64 // packets that --skip left out

	handed handover

	// Of a pod; nil and 0 for plain captures. The classifier is nil as well
	// once no packet will come any more.
	classifier *istiofilter.Classifier
	legs       istiofilter.Legs // those to write
	exact      bool             // the filter takes nothing else
	origins    []origin         // parts of the packets that have rings of their own
	openers    *openers         // nil where nothing depends on them

	tracking *tracking // nil where nobody needs it

	first    int               // the source's first interface in the file
	geometry afpacket.Geometry // of each ring, once open
	rings    []*afpacket.Ring  // those that were opened
}

// ofPod reports whether the source's packets are told apart by legs.
func (s *source) ofPod() bool { return s.legs != 0 }

// compileFor compiles the filter of a source.
func (s *source) compileFor(f *captureFlags) (err error) {
	if s.filter, err = f.compile(s.expr, netmask(s.link)); err != nil {
		return err
	}
	s.config.Interface = s.link.Name
	s.config.Filter = s.filter.Insns
	return nil
}

// compile compiles a filter for a socket, in a network with a netmask. The
// program may be longer than the kernel takes, see open.
func (f *captureFlags) compile(expr string, mask netip.Addr) (*bpfc.Program, error) {
	if f.extensions == 0 {
		n, err := afpacket.Extensions()
		if err != nil {
			return nil, err
		}
		f.extensions = n
	}
	return bpfc.CompileOptions(expr, bpfc.Ethernet, bpfc.Options{
		Snaplen: f.keep(), Live: true, Extensions: f.extensions,
		StrictCIDR: f.strictCIDR, Netmask: mask,
		Limit: bpfc.NoLimit, Resolver: &f.resolver,
	})
}

// netmask is that of the first IPv4 address of an interface, which "ip
// broadcast" needs. Without one it is not valid, and the filter refused.
func netmask(l kernel.Link) netip.Addr {
	for _, a := range l.Addrs {
		if a.Addr().Is4() {
			mask := net.CIDRMask(a.Bits(), 32)
			return netip.AddrFrom4([4]byte(mask))
		}
	}
	return netip.Addr{}
}

// open makes n rings for each origin, inside the source's namespace, which
// share the packets if they are several. If the kernel does not take the
// filter, for its length, icap runs it. What was opened before an error is
// returned, too.
func (s *source) open(n int, group func() *afpacket.Group) (rings []*afpacket.Ring, err error) {
	origins := s.origins
	if len(origins) == 0 {
		origins = []origin{{}}
	}
	for _, o := range origins {
		s.config.Marks, s.config.NotMarks = o.marks, o.not
		s.config.Group = group()
		for range n {
			ring, err := s.openRing()
			if err != nil {
				return rings, err
			}
			rings = append(rings, ring)
			s.geometry, s.rings = ring.Geometry(), rings
		}
	}
	return rings, nil
}

func (s *source) openRing() (*afpacket.Ring, error) {
	ring, err := s.tryOpen()
	if errors.Is(err, afpacket.ErrFilterTooLong) {
		// The filter may look behind what it keeps.
		s.byHand = true
		s.config.Filter, s.config.Snaplen = nil, afpacket.MaxSnaplen
		return s.tryOpen()
	}
	return ring, err
}

// origin is that of the packets of a ring.
func (s *source) origin(r *afpacket.Ring) istiofilter.Origin {
	if len(s.origins) == 0 {
		return istiofilter.OriginUnknown
	}
	return s.origins[slices.Index(s.rings, r)*len(s.origins)/len(s.rings)].is
}

func (s *source) tryOpen() (ring *afpacket.Ring, err error) {
	if h := s.place.helper; h != nil {
		config := s.config
		if config.Socket, err = h.socket(s.place, config); err != nil {
			return nil, err
		}
		return afpacket.Open(config)
	}
	err = s.place.ns.Do(func() (err error) {
		ring, err = afpacket.Open(s.config)
		return err
	})
	return ring, err
}

// rejects runs the filter on a packet, where the kernel does not, and cuts the
// packet to what the filter keeps.
func (s *source) rejects(p *capture.Packet) bool {
	if !s.byHand {
		return false
	}
	s.meta = s.metaOf(p)
	keep := s.filter.MatchMeta(p.Data, p.Len, &s.meta)
	p.Data = p.Data[:min(keep, len(p.Data))]
	return keep == 0
}

// metaOf is what filters can ask about a packet beside its bytes.
func (s *source) metaOf(p *capture.Packet) bpfc.Meta {
	return bpfc.Meta{
		PacketType:  uint8(p.Type),
		IfIndex:     uint32(s.link.Index),
		HAType:      uint16(s.link.Type),
		VLANPresent: p.VLAN.Present,
		VLANTCI:     p.VLAN.TCI,
		VLANTPID:    p.VLAN.TPID,
	}
}

// leg tells the leg of a packet of the source.
func (s *source) leg(p *capture.Packet, h *flow.Headers) istiofilter.Leg {
	h.Decode(p.Data)
	opener := istiofilter.OpenerUnknown
	if s.openers != nil && h.Flags&(flow.SYN|flow.ACK) == flow.SYN && p.Outgoing() {
		opener = s.openers.of(h.Src, h.Dst)
	}
	return s.classifier.Leg(&istiofilter.Packet{
		Loopback: s.link.Loopback,
		Link:     s.link.Name,
		Origin:   s.origin(p.Ring),
		Opener:   opener,
		Time:     p.Time,
		Sent:     p.Outgoing(),
		Proto:    h.Proto,
		Src:      h.Src,
		Dst:      h.Dst,
		SYN:      h.Flags&flow.SYN != 0,
		ACK:      h.Flags&flow.ACK != 0,
		FIN:      h.Flags&flow.FIN != 0,
		RST:      h.Flags&flow.RST != 0,
	})
}

// at is the name of the source in messages: "eth0" or "eth0@web.shop".
func (s *source) at() string {
	if s.place.title == "" {
		return s.link.Name
	}
	return s.link.Name + "@" + s.place.title
}

// interfaces are the source's interfaces in the file: one, or one for each
// leg.
func (s *source) interfaces() []pcapwriter.Interface {
	base := pcapwriter.Interface{
		Name:     s.at(),
		Filter:   s.expr,
		OS:       runtime.GOOS,
		LinkType: uint16(bpfc.Ethernet),
		Snaplen:  afpacket.MaxSnaplen,
		Addrs:    s.link.Addrs,
	}
	if !s.ofPod() {
		return []pcapwriter.Interface{base}
	}
	var all []pcapwriter.Interface
	for leg := range s.legs.All() {
		i := base
		i.Name = fmt.Sprintf("%s:%s", s.link.Name, leg)
		if s.place.title != "" {
			i.Name += "@" + s.place.title
		}
		i.Description = leg.Meaning() + "; " + s.place.about
		all = append(all, i)
	}
	return all
}

// names are the names of the addresses in the file.
func names(places []*place) []pcapwriter.Name {
	var all []pcapwriter.Name
	for _, p := range places {
		if p.title == "" {
			continue
		}
		for _, l := range p.usable() {
			for _, a := range l.Addrs {
				if addr := a.Addr(); !addr.IsLoopback() && !addr.IsLinkLocalUnicast() {
					all = append(all, pcapwriter.Name{Addr: addr, Names: []string{hostName(p.title)}})
				}
			}
		}
	}
	return append(all, neighbours(places)...)
}

// hostName makes a title fit to stand for an address.
func hostName(title string) string {
	return strings.Map(func(r rune) rune {
		if r == ':' || r == '/' {
			return '-'
		}
		return r
	}, title)
}

// proxyNames name the addresses that the proxy connects to the app from, which
// no interface need have.
func proxyNames() []pcapwriter.Name {
	var all []pcapwriter.Name
	for _, a := range istiofilter.ProxySources() {
		all = append(all, pcapwriter.Name{Addr: a, Names: []string{"istio-proxy-inbound"}})
	}
	return all
}
