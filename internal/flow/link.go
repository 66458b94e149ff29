package flow

import "encoding/binary"

// Link types whose frames DecodeLink reads, of the registry of
// draft-ietf-opsawg-pcaplinktype.
const (
	LinkEthernet = 1
	LinkRaw      = 101
	LinkSLL      = 113
	LinkIPv4     = 228
	LinkIPv6     = 229
	LinkSLL2     = 276
)

// Lengths of the headers of cooked packets, and where the protocol is in them.
const (
	sllLen      = 16
	sllProtocol = 14
	sll2Len     = 20
)

// DecodeLink reads a frame of a link type, as Decode does. Of a link type that
// is not among those named here it reads nothing.
func (h *Headers) DecodeLink(linkType uint16, frame []byte) bool {
	switch {
	case linkType == LinkEthernet:
		return h.Decode(frame)
	case linkType == LinkSLL && len(frame) >= sllLen:
		return h.DecodeFrom(frame, sllLen, binary.BigEndian.Uint16(frame[sllProtocol:]))
	case linkType == LinkSLL2 && len(frame) >= sll2Len:
		return h.DecodeFrom(frame, sll2Len, binary.BigEndian.Uint16(frame))
	case linkType == LinkIPv4, linkType == LinkRaw && len(frame) > 0 && frame[0]>>4 == 4:
		return h.DecodeFrom(frame, 0, etherIPv4)
	case linkType == LinkIPv6, linkType == LinkRaw && len(frame) > 0 && frame[0]>>4 == 6:
		return h.DecodeFrom(frame, 0, etherIPv6)
	}
	*h = Headers{}
	return false
}
