package main

import (
	"fmt"
	"strings"

	"icap/afpacket"
	"icap/istiofilter"
)

// An origin is a part of the packets of an interface that has rings of its
// own, because the mark that tells it is not in the packet.
type origin struct {
	is         istiofilter.Origin
	marks, not []afpacket.Mark
}

// originsOf are the parts to capture; one for everything where marks do not
// matter.
func originsOf(p *istiofilter.Pod, all []istiofilter.Origin) []origin {
	if len(all) == 0 {
		return []origin{{}}
	}
	var parts []origin
	for _, o := range all {
		part := origin{is: o}
		marks, not := p.Marks(o)
		for _, m := range marks {
			part.marks = append(part.marks, afpacket.Mark(m))
		}
		for _, m := range not {
			part.not = append(part.not, afpacket.Mark(m))
		}
		parts = append(parts, part)
	}
	return parts
}

// String says which packets they are: "mark 0x539/0xfff".
func (o origin) String() string {
	var words []string
	if len(o.marks) > 0 {
		words = append(words, "mark "+marksText(o.marks))
	}
	if len(o.not) > 0 {
		words = append(words, "no mark "+marksText(o.not))
	}
	return strings.Join(words, " and ")
}

func marksText(marks []afpacket.Mark) string {
	words := make([]string, len(marks))
	for i, m := range marks {
		words[i] = fmt.Sprintf("%#x", m.Value)
		if m.Mask != 0xffffffff {
			words[i] = fmt.Sprintf("%#x/%#x", m.Value, m.Mask)
		}
	}
	return strings.Join(words, " or ")
}
