package text

// Ports of networks that are laid over others: VXLAN of RFC 7348, that which
// Linux used before, which tcpdump takes for OTV, and Geneve of RFC 8926.
const (
	vxlanPort  = 4789
	otvPort    = 8472
	genevePort = 6081
)

// appendOverlay appends a frame in a datagram of length bytes, with its header.
// It is not ok if the ports are those of something else.
func (p *Printer) appendOverlay(b, data []byte, length int, ports ...uint16) (_ []byte, ok bool) {
	for _, port := range ports {
		switch port {
		case vxlanPort:
			return p.appendVXLAN(b, data, length), true
		case otvPort:
			return p.appendOTV(b, data, length), true
		case genevePort:
			return p.appendGeneve(b, data, length), true
		}
	}
	return b, false
}

// overlayLen is how long each of the headers is, without options.
const overlayLen = 8

func (p *Printer) appendVXLAN(b, data []byte, length int) []byte {
	const (
		withID = 0x08
		cut    = " [|vxlan]"
	)
	b = append(b, "VXLAN"...)
	switch {
	case length < overlayLen:
		return append(b, invalid...)
	case len(data) == 0:
		return append(b, cut...)
	}
	name := ", flags [invalid] ("
	if data[0]&withID != 0 {
		name = ", flags [I] ("
	}
	b = append(appendHex(append(b, name...), uint32(data[0]), 1), "), "...)
	if len(data) < overlayLen-1 {
		return append(b, cut...)
	}
	b = append(appendInt(append(b, "vni "...), be32(data[3:])&0xffffff), '\n')
	if len(data) < overlayLen {
		return append(b, cut...)
	}
	return p.appendInner(b, 0, data[overlayLen:], length-overlayLen, true)
}

func (p *Printer) appendOTV(b, data []byte, length int) []byte {
	const (
		withID = 0x08
		cut    = " [|otv]"
	)
	b = append(b, "OTV, "...)
	switch {
	case length < overlayLen:
		b = appendInt(append(b, "[length "...), length)
		return append(b, " < 8] (invalid)"...)
	case len(data) == 0:
		return append(b, cut...)
	}
	name := "flags [.] ("
	if data[0]&withID != 0 {
		name = "flags [I] ("
	}
	b = append(appendHex(append(b, name...), uint32(data[0]), 1), "), "...)
	if len(data) < 4 {
		return append(b, cut...)
	}
	b = append(appendInt(append(b, "overlay "...), be32(data)&0xffffff), ", "...)
	if len(data) < overlayLen-1 {
		return append(b, cut...)
	}
	b = append(appendInt(append(b, "instance "...), be32(data[3:])&0xffffff), '\n')
	if len(data) < overlayLen {
		return append(b, cut...)
	}
	return p.appendInner(b, 0, data[overlayLen:], length-overlayLen, true)
}

func (p *Printer) appendGeneve(b, data []byte, length int) []byte {
	const (
		unit    = 4 // bytes in which the length of options is given
		bridged = 0x6558
		cut     = " [|geneve]"
	)
	b = append(b, "Geneve"...)
	switch {
	case length < overlayLen:
		b = appendInt(append(b, " [length "...), length)
		return append(b, " < 8] (invalid)"...)
	case len(data) < overlayLen:
		return append(b, cut...)
	}
	if version := data[0] >> 6; version != 0 {
		return appendInt(append(b, " ERROR: unknown-version "...), version)
	}
	typ, options := be16(data[2:]), int(data[0]&0x3f)*unit
	b = append(b, ", Flags ["...)
	b = append(b, [...]string{"none", "C", "O", "OC"}[data[1]>>6]...)
	b = appendShortHex(append(b, "], vni "...), be32(data[4:])>>8)
	if reserved := data[7]; reserved != 0 {
		b = appendShortHex(append(b, ", rsvd "...), uint32(reserved))
	}
	if p.o.Link {
		b = p.appendInnerType(append(b, ", proto "...), typ)
	}
	data, length = data[overlayLen:], length-overlayLen
	switch {
	case length < options:
		b = appendInt(append(b, " truncated-geneve - "...), options-length)
		return append(b, " bytes missing"...)
	case len(data) < options:
		return append(b, cut...)
	case options > 0 && p.o.Verbose > 0:
		b = append(p.appendGeneveOptions(append(b, ", options ["...), data[:options]), ']')
	case options > 0:
		b = append(appendInt(append(b, ", options ["...), options), " bytes]"...)
	}
	if p.o.Verbose > 0 {
		b = append(b, "\n\t"...)
	} else {
		b = append(b, ": "...)
	}
	if typ != bridged && !known(typ) {
		return appendShortHex(append(b, "geneve-proto-"...), uint32(typ))
	}
	return p.appendInner(b, typ, data[options:], length-options, typ == bridged)
}

// appendInnerType appends the ethertype of what is in a tunnel.
func (p *Printer) appendInnerType(b []byte, typ uint16) []byte {
	const bridged = 0x6558
	name := etherName(typ)
	switch {
	case typ == bridged:
		name = "TEB"
	case name == unknownEther:
		name = "unknown"
	}
	return append(appendHex(append(append(b, name...), " ("...), uint32(typ), 2), ')')
}

// appendGeneveOptions appends options: RFC 8926, 3.5.
func (p *Printer) appendGeneveOptions(b, o []byte) []byte {
	const (
		headerLen = 4
		critical  = 0x80
	)
	for first := true; len(o) >= headerLen; first = false {
		if !first {
			b = append(b, ", "...)
		}
		class, n := be16(o), headerLen+int(o[3]&0x1f)*4
		b = append(append(b, "class "...), geneveClass(class)...)
		b = appendShortHex(append(b, " ("...), uint32(class))
		b = appendShortHex(append(b, ") type "...), uint32(o[2]))
		if o[2]&critical != 0 {
			b = append(b, "(C)"...)
		}
		b = appendInt(append(b, " len "...), n)
		if n > len(o) {
			return append(b, " [bad length]"...)
		}
		if p.o.Verbose > 1 && n > headerLen {
			b = append(b, " data"...)
			for at := headerLen; at < n; at += 4 {
				b = appendDigits(append(b, ' '), o[at:at+4])
			}
		}
		o = o[n:]
	}
	return b
}

// geneveClass is whose options a class has, from IANA's "Geneve Option Class".
func geneveClass(class uint16) string {
	switch {
	case class == 0x0100:
		return "Linux"
	case class == 0x0101:
		return "Open vSwitch"
	case class == 0x0102:
		return "Open Virtual Networking (OVN)"
	case class == 0x0103:
		return "In-band Network Telemetry (INT)"
	case class == 0x0104:
		return "VMware"
	case class <= 0x00ff:
		return "Standard"
	case class >= 0xfff0:
		return "Experimental"
	}
	return "Unknown"
}
