package lab

import (
	"cmp"
	"net/netip"
	"slices"
)

// Legs as a Flow names them; package istiofilter has the same names.
const (
	LegInboundWire  = "inbound-wire"
	LegInboundApp   = "inbound-app"
	LegOutboundApp  = "outbound-app"
	LegOutboundWire = "outbound-wire"
	LegSelfWire     = "self-wire"
	LegSelf         = "self"
	LegDNSApp       = "dns-app"
	LegDNSWire      = "dns-wire"
	LegHBONE        = "hbone"
	LegAdmin        = "admin"
	LegDirect       = "direct"
	LegDownstream   = "gateway-downstream"
	LegUpstream     = "gateway-upstream"
)

// The protocols of a Socket.
const (
	TCP = "tcp"
	UDP = "udp"
)

// portQuery is the port of DNS servers.
const portQuery = 53

// A Use is what a program has a socket for.
type Use string

// The uses of sockets.
const (
	UseApp      Use = "app"      // The application's, of either direction.
	UseInbound  Use = "inbound"  // The proxy for the application's clients.
	UseOutbound Use = "outbound" // The proxy for the application as client.
	UseTunnel   Use = "tunnel"   // The proxy, HBONE.
	UseDNS      Use = "dns"      // The proxy's DNS server.
	UseAdmin    Use = "admin"    // The proxy's metrics, health and the like.
	UseControl  Use = "control"  // The proxy as a client of istiod.
	UseGateway  Use = "gateway"  // A gateway, of either direction.
)

// A Socket is one end of a connection, or of an exchange of datagrams, as
// the program that has it was told by the kernel. Programs report a socket
// when it is connected or accepted, or has failed to connect.
type Socket struct {
	Use      Use
	Proto    string
	Accepted bool // Accepted is the server's end.

	Local, Remote netip.AddrPort

	// Original is what SO_ORIGINAL_DST says of an accepted TCP connection
	// and Local where it says nothing.
	Original netip.AddrPort

	Mark  int    // Mark is SO_MARK's.
	Query uint16 // Query is the number of a DNS query over UDP.
}

// A Direction is what a packet socket shows of one direction.
type Direction struct {
	Src, Dst netip.AddrPort
}

// A Flow is a connection as the two packet sockets of a pod, on lo and on
// eth0, show it. Where addresses are translated the answers do not mirror
// the requests.
type Flow struct {
	Leg       string
	Interface string // Interface is "lo" or "eth0".
	Proto     string

	Request Direction // Request is from the client to the server.
	Answer  Direction

	// Client and Server are the ends in the pod. The one that is elsewhere,
	// or that never came to be, is nil. Only if the pod's kernel refused is
	// Client one elsewhere.
	Client, Server *Socket

	remote bool // remote means that Client is outside of the pod.
}

// flowsOf finds the flows of a pod in the reports of all. They come in the
// order in which their ends in the pod were reported.
func flowsOf(p *Pod, all map[*Pod][]Socket) []Flow {
	reports := slices.Clone(all[p])
	inside := len(reports)
	for other, list := range all {
		for _, c := range list {
			if other != p && !c.Accepted && p.has(c.Remote.Addr()) {
				reports = append(reports, c)
			}
		}
	}
	var (
		flows          []Flow
		server, client = pair(reports)
	)
	for i := range reports {
		r := &reports[i]
		f := Flow{Proto: r.Proto, remote: i >= inside}
		c, called := client[i]
		s, served := server[i]
		switch {
		case called && c < inside, served && f.remote:
			continue // The flow comes with its other end.
		case called:
			f.Client, f.Server, f.remote = &reports[c], r, true
		case served:
			f.Client, f.Server = r, &reports[s]
		case r.Accepted:
			f.Server = r
		default:
			f.Client = r
		}
		f.see(p)
		flows = append(flows, f)
	}
	return flows
}

// has reports whether an address is one of the pod's.
func (p *Pod) has(a netip.Addr) bool { return a == p.Addr || a == p.Addr6 }

// pair finds which server's end belongs to which client's.
func pair(reports []Socket) (server, client map[int]int) {
	server, client = map[int]int{}, map[int]int{}
	for _, same := range []func(c, s *Socket) bool{exactly, loosely} {
		for i := range reports {
			s := &reports[i]
			if _, done := client[i]; done || !s.Accepted {
				continue
			}
			for j := range reports {
				c := &reports[j]
				if _, done := server[j]; !done && !c.Accepted && c.Proto == s.Proto && same(c, s) {
					server[j], client[i] = i, j
					break
				}
			}
		}
	}
	return server, client
}

// exactly is the pair of a client whose port was not translated.
func exactly(c, s *Socket) bool {
	return c.Local == s.Remote && c.Query == s.Query &&
		(c.Remote == s.Original || c.Remote == s.Local || s.redirected() && c.Query != 0)
}

// loosely is the pair of a client whose port was translated: the kernel does
// so to one of two connections from one port that it redirects, also if the
// other one is over and only conntrack remembers it.
func loosely(c, s *Socket) bool {
	if c.Local.Addr() != s.Remote.Addr() || !s.redirected() || c.Query != s.Query {
		return false
	}
	// With a client's address, the proxy calls where that client called.
	if c.Use == UseInbound {
		return false
	}
	return c.Remote == s.Original || c.Query != 0
}

// redirected reports whether a server's end may be that of a connection that
// was meant for another one.
func (s *Socket) redirected() bool { return s.Local != s.Original || s.Proto == UDP }

// see fills in what packet sockets show. On lo they show what the receiver's
// socket knows, since addresses are translated on the way out and only there.
// On eth0 they show the packets before or after all translation.
func (f *Flow) see(p *Pod) {
	f.Interface = "eth0"
	switch c, s := f.Client, f.Server; {
	case c != nil && s != nil && f.remote:
		f.Request = Direction{c.Local, c.Remote}
		f.Answer = Direction{c.Remote, c.Local}
		f.Client = nil
	case c != nil && s != nil:
		f.Interface = "lo"
		f.Request = Direction{s.Remote, s.Local}
		f.Answer = Direction{c.Remote, c.Local}
	case c != nil:
		if c.Remote.Addr().IsLoopback() || p.has(c.Remote.Addr()) && !f.remote {
			f.Interface = "lo"
		}
		f.Request = Direction{c.Local, c.Remote}
		f.Answer = Direction{c.Remote, c.Local}
	default:
		f.Request = Direction{s.Remote, cmp.Or(s.Original, s.Local)}
		f.Answer = Direction{f.Request.Dst, f.Request.Src}
	}
	f.Leg = f.leg()
}

// leg follows from what the two ends are for.
func (f *Flow) leg() string {
	var client, server Use
	if f.Client != nil && !f.remote {
		client = f.Client.Use
	}
	if f.Server != nil {
		server = f.Server.Use
	}
	inside := f.Interface == "lo"
	switch {
	case client == UseGateway:
		return LegUpstream
	case server == UseGateway:
		return LegDownstream
	case server == UseAdmin:
		return LegAdmin
	case client == UseControl:
		return LegDirect
	case client == UseDNS:
		return LegDNSWire
	case server == UseDNS:
		return LegDNSApp
	case client == UseInbound:
		return LegInboundApp
	case inside && (client == UseOutbound || client == UseTunnel):
		return LegSelfWire
	case client == UseTunnel || server == UseTunnel:
		return LegHBONE
	case client == UseOutbound:
		return LegOutboundWire
	case server == UseOutbound:
		return LegOutboundApp
	case server == UseInbound:
		return LegInboundWire
	case inside:
		return LegSelf
	case client == UseApp && f.Request.Dst.Port() == portQuery:
		return LegDNSWire
	case f.remote && f.Request.Dst.Port() == PortTunnel:
		return LegHBONE
	}
	return LegDirect
}
