package kernel

import (
	"net"
	"net/netip"
	"strings"
)

// A Link is a network interface with its addresses.
type Link struct {
	Name  string
	Index int

	// Up is the administrative state (IFF_UP), not that of the carrier.
	Up       bool
	Loopback bool

	// Running is that there is a carrier (IFF_RUNNING).
	Running bool

	// MTU is in bytes, without the link-layer header. 65536 on lo.
	MTU int

	// HardwareAddr is nil where the interface has none (tun, for example).
	HardwareAddr net.HardwareAddr

	// Addrs are the interface's own addresses, each with the length of its
	// prefix: 10.0.0.7/24 and not 10.0.0.0/24. Link-local ones are included,
	// without a zone.
	Addrs []netip.Prefix

	// Type is the ARPHRD_ constant of packet(7)'s sll_hatype: 1 for Ethernet,
	// 772 for loopback, 65534 for a device without a link-layer header.
	Type int
}

// Links returns the interfaces of the namespace, sorted by index. It asks
// rtnetlink(7), which needs no privilege.
func Links() ([]Link, error) { return links() }

// NamespaceCookie identifies the network namespace of the calling thread, also
// among those that are gone. It is 0 before Linux 5.14.
func NamespaceCookie() uint64 { return namespaceCookie() }

// Protocols of a [Listener], as in /etc/protocols.
const (
	ProtoTCP = 6
	ProtoUDP = 17
)

// A Listener is a socket that takes what anybody sends to its port.
type Listener struct {
	// Proto is ProtoTCP or ProtoUDP.
	Proto uint8

	// Addr is what the socket is bound to. 0.0.0.0 and :: mean every address.
	// An IPv4-mapped address is given as the IPv4 address.
	Addr netip.AddrPort

	// DualStack says that a socket bound to :: takes IPv4, too, because it
	// does not have IPV6_V6ONLY. It is false where that cannot be told: for
	// sockets that were read from /proc.
	DualStack bool

	// UID is the user who made the socket, in the caller's user namespace.
	UID uint32

	// Inode is the socket's number in "socket:[N]" of /proc/PID/fd. Owners
	// finds the process that holds it.
	Inode uint64
}

// Listeners returns the listening TCP sockets, and the UDP sockets that have a
// port and no peer, of IPv4 and IPv6, sorted by protocol and address.
//
// It asks sock_diag(7), which needs no privilege. Where that is refused or not
// built in, it reads the same sockets from proc_pid_net(5).
func Listeners() ([]Listener, error) { return listeners() }

// A Process holds a socket.
type Process struct {
	PID int

	// Command is the name in /proc/PID/comm: at most 15 bytes, and chosen by
	// the process. Bytes that are not printable ASCII are replaced by '?'.
	Command string

	// GID is the effective group of the process, in the caller's user
	// namespace; -1 if it has gone.
	GID int
}

// Owners returns the processes that hold the sockets with these inodes. It
// reads /proc/PID/fd of every process once, so ask for all sockets together.
// proc is the mount point of a proc file system, "" for /proc. A socket that
// several processes hold is given to the one with the lowest PID.
//
// When sockets are left over and there were processes that could not be
// looked into, the error wraps [io/fs.ErrPermission] and names the
// capabilities that help; the map is good all the same.
func Owners(proc string, inodes []uint64) (map[uint64]Process, error) {
	return OwnersAmong(proc, nil, inodes)
}

// OwnersAmong is Owners that looks at these processes only, which is quick
// where it is known who shares the namespace of the sockets. With nil it looks
// at all.
func OwnersAmong(proc string, pids []int, inodes []uint64) (map[uint64]Process, error) {
	if proc == "" {
		proc = "/proc"
	}
	return owners(proc, pids, inodes)
}

// A Connection is an entry of the namespace's connection tracking.
type Connection struct {
	// Proto is ProtoTCP or ProtoUDP.
	Proto uint8
	// Src and Dst are the ends as the first packet had them when it was
	// made, and ReplySrc and ReplyDst as the answers have them: where the
	// connection is redirected, ReplySrc is not Dst.
	Src, Dst, ReplySrc, ReplyDst netip.AddrPort
	// Mark is the connection's, CONNMARK of iptables-extensions(8).
	Mark uint32
}

// Connections returns the connections of TCP and UDP that the namespace keeps
// track of. It does so if there are rules that need it, such as redirects; the
// entries of closed connections stay for a while.
//
// Without CAP_NET_ADMIN the error wraps [io/fs.ErrPermission]. A kernel without
// connection tracking is no error.
func Connections() ([]Connection, error) { return connections() }

// EphemeralPorts returns the range, both ends included, that the namespace
// takes local ports from for outgoing connections: ip_local_port_range of
// ip(7). IPv6 uses the same one.
func EphemeralPorts() (first, last uint16, err error) { return ephemeralPorts() }

// Redirects is what netfilter rules do with connections that they send to a
// local proxy, as the sidecars and the ambient mode of Istio have it done. A
// port is 0 where no such rule was found, so the zero value means that
// connections go where they are addressed to.
type Redirects struct {
	// Outbound is the port to which TCP connections made in the namespace
	// are redirected: REDIRECT reached from the OUTPUT hook, other than for
	// the proxy's own connections.
	Outbound uint16

	// Inbound is the port to which TCP connections from outside are
	// redirected: REDIRECT or TPROXY reached from the PREROUTING hook.
	Inbound uint16

	// DNS is the port to which queries made in the namespace are redirected:
	// REDIRECT reached from OUTPUT for destination port 53 alone.
	DNS uint16

	// TProxy says that Inbound is reached by TPROXY, which keeps both
	// addresses of a connection, rather than by REDIRECT.
	TProxy bool

	// ProxyUIDs and ProxyGIDs are the owners whose connections the OUTPUT
	// rules treat as the proxy's: sent to Inbound or spared from Outbound.
	// Either may be empty; sorted.
	ProxyUIDs, ProxyGIDs []uint32

	// ExcludedInbound are the destination ports of TCP that go past the
	// inbound redirect, by a RETURN or ACCEPT ahead of it or a negation in
	// it; sorted. Only rules for every peer and interface count.
	ExcludedInbound []uint16

	// IncludedInbound are the only destination ports that the inbound
	// redirect is for; nil when it is for all; sorted.
	IncludedInbound []uint16

	// InboundRules say which TCP connections from elsewhere are redirected,
	// and OutboundRules which of those that are made in the namespace and are
	// not the proxy's: the first rule that matches decides, and where none
	// does a connection is not redirected. Rules that ask for what is not
	// known here, such as a conntrack state, are left out.
	InboundRules, OutboundRules []Rule

	// Ambient says that the rules know the proxy's sockets by their mark, as
	// those of Istio's ambient mode do, rather than by their owner.
	Ambient bool

	// UpstreamMarks are the marks of packets between proxy and app where the
	// proxy keeps the client's address. SelfMarks are those of packets that
	// the proxy sends to its own pod otherwise. Packets have them while they
	// are on lo.
	UpstreamMarks, SelfMarks []Mark

	// Source names the tables with redirecting rules, such as "nf_tables ip
	// nat, nf_tables ip6 nat" or "nf_tables inet istio-proxy-nat", and "legacy
	// ip nat" for iptables-legacy.
	Source string
}

// A Rule decides about the TCP connections that match it. What is empty
// matches all.
type Rule struct {
	// Redirect says that they are redirected, rather than left alone.
	Redirect bool

	// Version is 4 or 6 for a rule for one IP version alone.
	Version uint8

	// Ports are the destination ports, and NotPorts all others.
	Ports, NotPorts []uint16

	// Every network of Peer has the remote address, and none of NotPeer; so
	// do Own and NotOwn with the local address.
	Peer, NotPeer, Own, NotOwn []netip.Prefix

	// Links are names of the interface, each of which has to match, and
	// NotLinks of others. A "+" at the end stands for any further letters.
	Links, NotLinks []string
}

// A Mark is that of a packet, of which only the bits of Mask count.
type Mark struct{ Value, Mask uint32 }

// IPv6 reports whether one of the tables in Source is for IPv6. Rules for IPv4
// alone let IPv6 go past the proxy.
func (r *Redirects) IPv6() bool {
	for _, word := range strings.FieldsFunc(r.Source, func(c rune) bool { return c == ' ' || c == ',' }) {
		if word == "ip6" || word == "inet" {
			return true
		}
	}
	return false
}

// ReadRedirects reads the namespace's netfilter rules: those of nftables, those
// of iptables-nft, and, where these redirect nothing, those of
// iptables-legacy. Where IPv4 and IPv6 go to different ports, the port of the
// table that was made first is returned; lists are united.
//
// Without CAP_NET_ADMIN the error wraps [io/fs.ErrPermission]. No rules, or a
// kernel without netfilter, is no error.
func ReadRedirects() (Redirects, error) { return readRedirects() }
