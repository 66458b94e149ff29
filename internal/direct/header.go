package direct

import (
	"encoding/binary"

	"icap/pcapwriter"
)

// appendHeader appends what a file begins with, stretched to whole pages by an
// option of the section.
func appendHeader(b []byte, h *pcapwriter.Header) []byte {
	var rest []byte
	for i := range h.Interfaces {
		rest = pcapwriter.AppendInterface(rest, &h.Interfaces[i])
	}
	rest = pcapwriter.AppendNames(rest, h.Names)

	section := pcapwriter.AppendSection(nil, &h.Section)
	// A section without options has no end of them either.
	const bare = 28
	options := len(section) - trailerLen
	if len(section) > bare {
		options -= endLen
	}
	least := options + 2*endLen + trailerLen + len(rest)
	stretched := options + 2*endLen + trailerLen + (-least & (pageSize - 1))

	b = append(b, section[:options]...)
	start := len(b) - options
	b = append(b, make([]byte, stretched-options)...)
	section = b[start:]
	putEnd(section[options : stretched-trailerLen])
	binary.LittleEndian.PutUint32(section[4:], uint32(stretched))
	binary.LittleEndian.PutUint32(section[stretched-trailerLen:], uint32(stretched))
	return append(b, rest...)
}
