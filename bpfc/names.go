package bpfc

import (
	"net/netip"
	"strconv"
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
	protoAH       = 51
	protoICMP6    = 58
	protoOptions  = 60 // of IPv6, for the destination
	protoVRRP     = 112
	protoCARP     = 112
	protoSCTP     = 132
)

// names asks a resolver, which can be nil, and then the embedded tables.
type names struct{ r Resolver }

func (n names) hosts(name string) []netip.Addr {
	if a, err := netip.ParseAddr(name); err == nil && a.Zone() == "" {
		return []netip.Addr{a} // behind a backslash
	}
	if n, err := strconv.ParseUint(name, 0, 32); err == nil && isNumber(name) {
		return []netip.Addr{netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})}
	}
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
	if port, err := strconv.ParseUint(name, 10, 16); err == nil { // behind a backslash
		return []Service{{protoTCP, uint16(port)}, {protoUDP, uint16(port)}}
	}
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

// etherTypes are the names after "ether proto", from IEEE's registries.
var etherTypes = [...]struct {
	name   string
	number uint16
}{
	{"ip", etherIPv4}, {"arp", etherARP}, {"rarp", etherRARP},
	{"ip6", etherIPv6}, {"loopback", 0x9000}, {"aarp", etherAARP},
	{"atalk", etherAppleTalk}, {"decnet", etherDECnet}, {"lat", etherLAT},
	{"mopdl", etherMOPDL}, {"moprc", etherMOPRC}, {"sca", etherSCA},
	{"lldp", etherLLDP}, {"slow", etherSlow}, // from libpcap 1.11 on

	// These are LLC's.
	{"iso", llcOSI}, {"stp", llcSTP}, {"ipx", llcIPX}, {"netbeui", llcNetBEUI},
}
