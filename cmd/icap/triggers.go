package main

import (
	"fmt"
	"slices"

	"icap/internal/flow"
)

// triggers look at packets for those that are events by themselves.
type triggers struct {
	names  []string // those that are told by TCP
	flow   flow.Sighting
	tracks flow.Tracker
}

// trackedConns is how many connections are remembered, to know what is sent
// again.
const trackedConns = 1 << 14

func newTriggers(f *triggerFlags) *triggers {
	t := &triggers{tracks: flow.Tracker{Most: trackedConns}}
	for _, when := range f.when {
		switch when {
		case triggerRST, triggerFIN, triggerRetransmit:
			t.names = append(t.names, when)
		}
	}
	return t
}

// tcp is the trigger that a packet meets, empty if none. Place is where it was
// captured.
func (t *triggers) tcp(place string, linkType uint16, data []byte, time int64, length int) string {
	if len(t.names) == 0 {
		return ""
	}
	t.flow.Place, t.flow.Data, t.flow.Time, t.flow.Len = place, data, time, length
	if !t.flow.DecodeLink(linkType, data) || t.flow.Proto != flow.ProtoTCP || t.flow.Transport == 0 {
		return ""
	}
	again := false
	if slices.Contains(t.names, triggerRetransmit) {
		t.tracks.See(&t.flow)
		again = t.tracks.Repeats()
	}
	for _, name := range t.names {
		if name == triggerRST && t.flow.Has(flow.RST) || name == triggerFIN && t.flow.Has(flow.FIN) || name == triggerRetransmit && again {
			return name
		}
	}
	return ""
}

// whereSeen says on which interface a packet was seen, and between whom.
func whereSeen(link string, linkType uint16, data []byte) (text string) {
	if link != "" {
		text = " on " + link
	}
	var h flow.Headers
	if !h.DecodeLink(linkType, data) {
		return text
	}
	if h.Transport == 0 {
		return fmt.Sprintf("%s, %s > %s", text, h.Src.Addr(), h.Dst.Addr())
	}
	return fmt.Sprintf("%s, %s > %s", text, h.Src, h.Dst)
}
