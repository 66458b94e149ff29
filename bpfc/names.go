package bpfc

import (
	"net/netip"
	"strings"
)

// A Resolver looks up the names of an expression. A method that does not know
// a name returns nothing, and the embedded tables are asked; so a resolver
// only has to know what these do not, and can hide what they do.
type Resolver interface {
	// Hosts returns the addresses of a host.
	Hosts(name string) []netip.Addr
	// Networks returns the prefixes of a network.
	Networks(name string) []netip.Prefix
	// Services returns the ports of a service, one for each transport
	// protocol that it is known for.
	Services(name string) []Service
	// Protocol returns the number of a protocol above IP.
	Protocol(name string) (number uint8, ok bool)
	// Ether returns the Ethernet address of a host.
	Ether(name string) (mac [6]byte, ok bool)
}

// A Service is a port of a transport protocol.
type Service struct {
	Protocol uint8 // 6 TCP, 17 UDP, 132 SCTP
	Port     uint16
}

// Numbers of protocols above IP, from the IANA registry.
const (
	protoHopByHop = 0 // of IPv6
	protoICMP     = 1
	protoIGMP     = 2
	protoTCP      = 6
	protoIGRP     = 9
	protoUDP      = 17
	protoRouting  = 43 // of IPv6
	protoFragment = 44 // of IPv6
	protoESP      = 50
	protoAH       = 51
	protoICMP6    = 58
	protoOptions  = 60 // of IPv6, for the destination
	protoPIM      = 103
	protoVRRP     = 112
	protoCARP     = 112
	protoSCTP     = 132
)

// names asks a resolver, which can be nil, and then the embedded tables.
type names struct{ r Resolver }

func (n names) hosts(name string) []netip.Addr {
	if n.r != nil {
		return n.r.Hosts(name)
	}
	return nil
}

func (n names) networks(name string) []netip.Prefix {
	if n.r != nil {
		return n.r.Networks(name)
	}
	return nil
}

func (n names) ether(name string) (mac [6]byte, ok bool) {
	if n.r != nil {
		return n.r.Ether(name)
	}
	return mac, false
}

func (n names) services(name string) []Service {
	if n.r != nil {
		if found := n.r.Services(name); len(found) > 0 {
			return found
		}
	}
	for _, s := range services {
		if s.name != name {
			continue
		}
		var found []Service
		for word := range strings.FieldsSeq(s.over) {
			number, _ := names{}.protocol(word)
			found = append(found, Service{Protocol: number, Port: s.port})
		}
		return found
	}
	return nil
}

func (n names) protocol(name string) (number uint8, ok bool) {
	if n.r != nil {
		if number, ok := n.r.Protocol(name); ok {
			return number, true
		}
	}
	for _, p := range protocols {
		if p.name == name {
			return p.number, true
		}
	}
	return 0, false
}

// etherType returns the EtherType or LLC number that "ether proto" knows by a name.
func etherType(name string) (number uint16, ok bool) {
	for _, t := range etherTypes {
		if t.name == name {
			return t.number, true
		}
	}
	return 0, false
}

// services are those that people write in filters, with IANA's ports and the
// transport protocols that Debian's table of services has for them.
var services = [...]struct {
	name string
	port uint16
	over string
}{
	{"ftp-data", 20, "tcp"}, {"ftp", 21, "tcp"}, {"ssh", 22, "tcp"},
	{"telnet", 23, "tcp"}, {"smtp", 25, "tcp"}, {"time", 37, "tcp udp"},
	{"whois", 43, "tcp"}, {"tacacs", 49, "tcp udp"},
	{"domain", 53, "tcp udp"}, {"bootps", 67, "udp"}, {"bootpc", 68, "udp"},
	{"tftp", 69, "udp"}, {"gopher", 70, "tcp"}, {"finger", 79, "tcp"},
	{"http", 80, "tcp"}, {"kerberos", 88, "tcp udp"}, {"pop3", 110, "tcp"},
	{"sunrpc", 111, "tcp udp"}, {"nntp", 119, "tcp"}, {"ntp", 123, "udp"},
	{"netbios-ns", 137, "udp"}, {"netbios-dgm", 138, "udp"},
	{"netbios-ssn", 139, "tcp"}, {"imap2", 143, "tcp"},
	{"snmp", 161, "tcp udp"}, {"snmp-trap", 162, "tcp udp"},
	{"bgp", 179, "tcp"}, {"ldap", 389, "tcp udp"},
	{"https", 443, "tcp udp"}, {"microsoft-ds", 445, "tcp"},
	{"isakmp", 500, "udp"}, {"syslog", 514, "tcp udp"}, {"printer", 515, "tcp"},
	{"dhcpv6-client", 546, "udp"}, {"dhcpv6-server", 547, "udp"},
	{"rtsp", 554, "tcp udp"}, {"ipp", 631, "tcp"}, {"ldaps", 636, "tcp udp"},
	{"domain-s", 853, "tcp udp"}, {"rsync", 873, "tcp"},
	{"imaps", 993, "tcp"}, {"pop3s", 995, "tcp"}, {"openvpn", 1194, "tcp udp"},
	{"ms-sql-s", 1433, "tcp"}, {"radius", 1812, "tcp udp"},
	{"radius-acct", 1813, "tcp udp"}, {"nfs", 2049, "tcp udp"},
	{"mysql", 3306, "tcp"}, {"ms-wbt-server", 3389, "tcp"},
	{"ipsec-nat-t", 4500, "udp"}, {"sip", 5060, "tcp udp"},
	{"sip-tls", 5061, "tcp udp"}, {"mdns", 5353, "udp"},
	{"postgresql", 5432, "tcp"}, {"amqp", 5672, "tcp"},
	{"redis", 6379, "tcp"}, {"http-alt", 8080, "tcp"},
}

// protocols are the names after "proto", where each that is a keyword too
// needs a backslash.
var protocols = [...]struct {
	name   string
	number uint8
}{
	{"icmp", protoICMP}, {"igmp", protoIGMP}, {"ipencap", 4},
	{"tcp", protoTCP}, {"egp", 8}, {"igp", protoIGRP}, {"udp", protoUDP},
	{"dccp", 33}, {"ipv6", 41}, {"ipv6-route", 43},
	{"ipv6-frag", protoFragment}, {"rsvp", 46}, {"gre", 47},
	{"esp", protoESP}, {"ah", protoAH}, {"ipv6-icmp", protoICMP6},
	{"ipv6-nonxt", 59}, {"ipv6-opts", 60}, {"eigrp", 88}, {"ospf", 89},
	{"ipip", 94}, {"pim", protoPIM}, {"vrrp", protoVRRP}, {"l2tp", 115},
	{"sctp", protoSCTP}, {"udplite", 136},
}

// etherTypes are the names after "ether proto", from IEEE's registries.
var etherTypes = [...]struct {
	name   string
	number uint16
}{
	{"ip", etherIPv4}, {"arp", etherARP}, {"rarp", etherRARP},
	{"ip6", etherIPv6}, {"loopback", 0x9000}, {"aarp", etherAARP},
	{"atalk", etherAppleTalk}, {"decnet", etherDECnet}, {"lat", etherLAT},
	{"mopdl", etherMOPDL}, {"moprc", etherMOPRC}, {"sca", etherSCA},

	// These are LLC's.
	{"iso", llcOSI}, {"stp", llcSTP}, {"ipx", llcIPX}, {"netbeui", llcNetBEUI},
}
