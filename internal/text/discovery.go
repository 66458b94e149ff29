package text

// appendDiscovery appends what a message of neighbour discovery says, and with
// -v its options: RFC 4861.
func (p *Printer) appendDiscovery(b, m []byte, length int) (_ []byte, ok bool) {
	header := [...]int{8, 16, 24, 24, 40}[m[0]-icmp6Solicitation]
	wordy := p.o.Verbose > 0
	if len(m) < header && (wordy && m[0] != icmp6Solicitation || m[0] >= neighborSolicit) {
		return b, false
	}
	switch m[0] {
	case icmp6Advertisement:
		if wordy {
			b = appendRouter(b, m)
		}
	case neighborSolicit:
		b = appendAddr(append(b, ", who has "...), m[8:24])
	case neighborAdvert:
		b = appendAddr(append(b, ", tgt is "...), m[8:24])
		if wordy {
			b = appendBits(append(b, ", Flags ["...), m[4], "router", "solicited", "override")
			b = append(b, ']')
		}
	case icmp6Redirect:
		b = appendAddr(append(b, ", "...), m[24:40])
		b = appendAddr(append(b, " to "...), m[8:24])
	}
	if !wordy {
		return b, true
	}
	return p.appendDiscoveryOptions(b, m[min(header, len(m)):], length-header)
}

// appendBits appends the names of the bits that are set, highest bit first.
func appendBits(b []byte, bits uint8, names ...string) []byte {
	start := len(b)
	for i, name := range names {
		if bits&(0x80>>i) == 0 || name == "" {
			continue
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(b, name...)
	}
	if len(b) == start {
		b = append(b, "none"...)
	}
	return b
}

// appendRouter appends what a router says of itself: RFC 4861, 4.2, and RFC
// 4191.
func appendRouter(b, m []byte) []byte {
	b = appendInt(append(b, "\n\thop limit "...), m[4])
	b = appendBits(append(b, ", Flags ["...), m[5], "managed", "other stateful", "home agent", "", "", "", "ipv6 only")
	b = append(append(b, "], pref "...), routerPreference(m[5])...)
	b = appendInt(append(b, ", router lifetime "...), be16(m[6:]))
	b = appendInt(append(b, "s, reachable time "...), be32(m[8:]))
	b = appendInt(append(b, "ms, retrans timer "...), be32(m[12:]))
	return append(b, "ms"...)
}

func routerPreference(flags uint8) string {
	return [...]string{"medium", "high", "rsv", "low"}[flags>>3&3]
}

// appendLifetime appends seconds, of which the most are all.
func appendLifetime(b []byte, seconds uint32) []byte {
	if seconds == 1<<32-1 {
		return append(b, "infinity"...)
	}
	return append(appendInt(b, seconds), 's')
}

// Options, from IANA's "IPv6 Neighbor Discovery Option Formats".
const (
	ndSourceLink = 1
	ndTargetLink = 2
	ndPrefix     = 3
	ndRedirected = 4
	ndMTU        = 5
	ndRoute      = 24 // RFC 4191
	ndServers    = 25 // RFC 8106
	ndDomains    = 31
)

// appendDiscoveryOptions appends options, of which o was captured and length is
// all. They are not ok if one is cut.
func (p *Printer) appendDiscoveryOptions(b, o []byte, length int) (_ []byte, ok bool) {
	const unit = 8
	for len(o) > 0 && length > 0 {
		if len(o) < 2 || o[1] == 0 || int(o[1])*unit > len(o) {
			return b, false
		}
		n := int(o[1]) * unit
		name := discoveryName(o[0])
		b = append(append(b, "\n\t  "...), name...)
		b = appendInt(append(b, " option ("...), o[0])
		b = appendInt(append(b, "), length "...), n)
		b = append(appendInt(append(b, " ("...), o[1]), "): "...)
		if name == "unknown" && p.o.Verbose < 2 {
			return appendUnknown(b, "\n\t  ", o[2:n], false), true
		}
		if b, ok = p.appendDiscoveryOption(b, o[:n]); !ok {
			return b, false
		}
		if p.o.Verbose > 1 {
			b = appendUnknown(b, "\n\t    ", o[2:n], false)
		}
		o, length = o[n:], length-n
	}
	return b, true
}

func discoveryName(option uint8) string {
	switch option {
	case ndSourceLink:
		return "source link-address"
	case ndTargetLink:
		return "destination link-address"
	case ndPrefix:
		return "prefix info"
	case ndRedirected:
		return "redirected header"
	case ndMTU:
		return "mtu"
	case ndRoute:
		return "route info"
	case ndServers:
		return "rdnss"
	case ndDomains:
		return "dnssl"
	}
	return "unknown"
}

// appendDiscoveryOption appends what an option says that is whole.
func (p *Printer) appendDiscoveryOption(b, o []byte) (_ []byte, ok bool) {
	switch o[0] {
	case ndSourceLink, ndTargetLink:
		b = appendHardwareAddr(b, o[2:])
	case ndPrefix:
		if len(o) < 32 {
			return b, false
		}
		b = append(appendAddr(b, o[16:32]), '/')
		b = appendBits(append(appendInt(b, o[2]), ", Flags ["...), o[3], "onlink", "auto", "router")
		b = appendLifetime(append(b, "], valid time "...), be32(o[4:]))
		b = appendLifetime(append(b, ", pref. time "...), be32(o[8:]))
	case ndRedirected:
		b = appendUnknown(b, "\n\t    ", o, false)
	case ndMTU:
		b = appendInt(append(b, ' '), be32(o[4:]))
	case ndServers:
		b = append(appendInt(append(b, " lifetime "...), be32(o[4:])), "s,"...)
		for at := 8; at+16 <= len(o); at += 16 {
			b = appendAddr(append(b, " addr: "...), o[at:at+16])
		}
	case ndDomains:
		b = append(appendInt(append(b, " lifetime "...), be32(o[4:])), "s, domain(s):"...)
		d := dnsPrinter{msg: o, start: len(b)}
		for at := 8; at < len(o) && o[at] != 0 && !d.full(b); {
			if b, at, ok = d.appendName(append(b, ' '), at); !ok {
				return b, false
			}
		}
	case ndRoute:
		return appendRouteOption(b, o)
	}
	return b, true
}

// appendRouteOption appends a prefix and how to reach it: RFC 4191, 2.3.
func appendRouteOption(b, o []byte) (_ []byte, ok bool) {
	const fixedLen, longest = 8, 24
	if len(o) > longest {
		return b, false
	}
	var prefix [16]byte
	copy(prefix[:], o[fixedLen:])
	b = append(appendAddr(append(b, ' '), prefix[:]), '/')
	b = append(appendInt(b, o[2]), ", pref="...)
	b = append(append(b, routerPreference(o[3])...), ", lifetime="...)
	return appendLifetime(b, be32(o[4:])), true
}
