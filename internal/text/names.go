package text

import "net/netip"

// maxNames is how many names are remembered: more are left out.
const maxNames = 1 << 16

// Name has a host's address shown as a name from here on, which is escaped. It
// is for addresses whose name is known already: nothing is ever looked up.
func (p *Printer) Name(addr netip.Addr, name string) {
	if p.names == nil {
		p.names = make(map[netip.Addr]string)
	}
	if name != "" && len(p.names) < maxNames {
		p.names[addr.Unmap().WithZone("")] = name
	}
}

// appendHost appends the source or destination of a packet, by its name if it
// has one.
func (p *Printer) appendHost(b, addr []byte) []byte {
	if len(p.names) > 0 {
		a, _ := netip.AddrFromSlice(addr)
		if name, ok := p.names[a]; ok {
			return appendSafe(b, name[:min(len(name), maxLine)])
		}
	}
	return appendAddr(b, addr)
}
