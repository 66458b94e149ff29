package capfile

// OptionsAt is where the options of a block begin in Raw, or would. It is not
// ok for blocks that cannot have options, and those that this package does not
// know.
func (b *Block) OptionsAt() (at int, ok bool) {
	const sectionOptions = 24
	switch b.Type {
	case TypeSection:
		return sectionOptions, true
	case TypeInterface:
		return interfaceOptions, true
	case TypeStatistics:
		return statisticsOptions, len(b.Raw) >= statisticsOptions+trailerLen
	case TypePacket, TypeOldPacket:
		return len(b.Raw) - trailerLen - len(b.Packet.Options), true
	}
	return 0, false
}

// AppendWithComment appends the block with a comment ahead of its options, and
// returns the longer slice. A block that cannot have a comment is appended as
// it is. The comment is cut to what an option can hold.
func (b *Block) AppendWithComment(out []byte, comment string) []byte {
	at, ok := b.OptionsAt()
	if !ok {
		return append(out, b.Raw...)
	}
	const most = 1<<16 - 4
	comment = comment[:min(len(comment), most)]
	start := len(out)
	options := b.Raw[at : len(b.Raw)-trailerLen]
	out = append(out, b.Raw[:at]...)
	out = appendOption(out, b, OptionComment, comment)
	out = append(out, options...)
	if len(options) == 0 {
		out = append(out, 0, 0, 0, 0) // the end of options
	}
	total := uint32(len(out) - start + trailerLen)
	b.Order.PutUint32(out[start+4:], total)
	out = append(out, 0, 0, 0, 0)
	b.Order.PutUint32(out[len(out)-trailerLen:], total)
	return out
}

// Moved returns the block as it stands in raw, a copy of Raw or what
// AppendWithComment has made of it. Of Raw only the lengths are looked at. The
// packet is put into p.
func (b *Block) Moved(raw []byte, p *Packet) Block {
	moved := *b
	moved.Raw = raw
	if b.Packet == nil {
		return moved
	}
	*p = *b.Packet
	p.Data = raw[p.At : p.At+len(p.Data)]
	if at, ok := b.OptionsAt(); ok {
		p.Options = raw[at : len(raw)-trailerLen]
	}
	moved.Packet = p
	return moved
}

func appendOption(out []byte, b *Block, code uint16, value string) []byte {
	start := len(out)
	out = append(out, 0, 0, 0, 0)
	b.Order.PutUint16(out[start:], code)
	b.Order.PutUint16(out[start+2:], uint16(len(value)))
	out = append(out, value...)
	return append(out, 0, 0, 0)[:start+optionHeader+aligned(len(value))]
}

// Unmeasure makes a section header say that the length of the section is not
// known, as it must when the section's blocks change their length.
func (b *Block) Unmeasure() {
	const sectionLength = 16
	for i := range 8 {
		b.Raw[sectionLength+i] = 0xff
	}
}
