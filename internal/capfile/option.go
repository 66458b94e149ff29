package capfile

import "encoding/binary"

// Options of all blocks, from "Options" of the draft.
const (
	OptionEnd     = 0
	OptionComment = 1
)

// Options of an Interface Description Block.
const (
	optionName        = 2
	optionDescription = 3
	optionResolution  = 9
	optionFilter      = 11
	optionOffset      = 14
)

// An Option is one option of a block.
type Option struct {
	Code  uint16
	Value []byte
}

const optionHeader = 4

// NextOption returns the first of some options and those behind it. It is not
// ok at their end, and where they are broken off.
func NextOption(options []byte, order binary.ByteOrder) (o Option, rest []byte, ok bool) {
	if len(options) < optionHeader {
		return o, nil, false
	}
	o.Code = order.Uint16(options)
	n := int(order.Uint16(options[2:]))
	if o.Code == OptionEnd || optionHeader+n > len(options) {
		return o, nil, false
	}
	o.Value = options[optionHeader : optionHeader+n]
	return o, options[min(optionHeader+aligned(n), len(options)):], true
}

// aligned is n, brought to a multiple of 4.
func aligned(n int) int { return (n + 3) &^ 3 }

// apply takes what an option says of the interface.
func (i *Interface) apply(o Option, order binary.ByteOrder) bool {
	switch o.Code {
	case optionName:
		i.Name = string(o.Value)
	case optionDescription:
		i.Description = string(o.Value)
	case optionFilter:
		if len(o.Value) > 1 && o.Value[0] == 0 {
			i.Filter = string(o.Value[1:])
		}
	case optionResolution:
		if len(o.Value) != 1 {
			return false
		}
		c, ok := resolution(o.Value[0])
		c.offset = i.clock.offset
		i.clock = c
		return ok
	case optionOffset:
		if len(o.Value) != 8 {
			return false
		}
		i.clock.offset = int64(order.Uint64(o.Value)) * 1_000_000_000
	}
	return true
}

// optionFlags are the flags of an Enhanced Packet Block.
const optionFlags = 2

// Direction says which way a packet went, as epb_flags tell it: received by
// the machine, or sent, or neither if they do not.
func (p *Packet) Direction(order binary.ByteOrder) (received, sent bool) {
	for o, rest, ok := NextOption(p.Options, order); ok; o, rest, ok = NextOption(rest, order) {
		if o.Code == optionFlags && len(o.Value) == 4 {
			way := order.Uint32(o.Value) & 3
			return way == 1, way == 2
		}
	}
	return false, false
}
