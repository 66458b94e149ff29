package netdb

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"icap/bpfc"
)

// An entry is a line of a table: a value and its names.
type entry struct {
	value string
	names []string
}

func (e entry) is(name string) bool { return slices.Contains(e.names, name) }

// parse reads a table. In most of them the first word of a line is the name,
// then come the value and other names; with valueFirst it is the value.
func parse(text string, valueFirst bool) []entry {
	var entries []entry
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		if valueFirst {
			words[0], words[1] = words[1], words[0]
		}
		names := append([]string{words[0]}, words[2:]...)
		entries = append(entries, entry{value: words[1], names: names})
	}
	return entries
}

// decimal reads a number that fits into so many bits.
func decimal(text string, bits int) (n uint64, ok bool) {
	n, err := strconv.ParseUint(text, 10, bits)
	return n, err == nil
}

// service reads the value of a service, such as 53/udp.
func service(value string) (s bpfc.Service, ok bool) {
	port, over, _ := strings.Cut(value, "/")
	n, ok := decimal(port, 16)
	protocol, known := map[string]uint8{"tcp": 6, "udp": 17, "sctp": 132}[over]
	return bpfc.Service{Protocol: protocol, Port: uint16(n)}, ok && known
}

// network reads one to four decimal numbers with dots between them: a prefix
// of so many bytes.
func network(value string) (p netip.Prefix, ok bool) {
	parts := strings.Split(value, ".")
	if len(parts) > 4 {
		return p, false
	}
	var addr [4]byte
	for i, part := range parts {
		n, ok := decimal(part, 8)
		if !ok {
			return p, false
		}
		addr[i] = byte(n)
	}
	return netip.PrefixFrom(netip.AddrFrom4(addr), 8*len(parts)), true
}

// ether reads an Ethernet address, whose numbers can have one digit.
func ether(value string) (mac [6]byte, ok bool) {
	parts := strings.Split(value, ":")
	if len(parts) != len(mac) {
		return mac, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil {
			return mac, false
		}
		mac[i] = byte(n)
	}
	return mac, true
}
