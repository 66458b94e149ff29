package flow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// about makes a message that quotes the first bytes of a packet to its sender.
func about(quoted *Sighting, by string, kind, code byte, rest uint32) *Sighting {
	from := netip.MustParseAddr(by)
	inner := quoted.Data[quoted.Network:]
	b := make([]byte, etherLen+ipv4Len+icmpLen)
	binary.BigEndian.PutUint16(b[12:], etherIPv4)
	ip := b[etherLen:]
	ip[0], ip[8], ip[9] = 0x45, 64, ProtoICMP
	binary.BigEndian.PutUint16(ip[2:], uint16(ipv4Len+icmpLen+len(inner)))
	copy(ip[12:], from.AsSlice())
	copy(ip[16:], quoted.Src.Addr().AsSlice())
	icmp := ip[ipv4Len:]
	icmp[0], icmp[1] = kind, code
	binary.BigEndian.PutUint32(icmp[4:], rest)
	p := &Sighting{Place: quoted.Place, Time: quoted.Time + 1}
	p.Data = slices.Concat(b, inner)
	p.Len = len(p.Data)
	p.Decode(p.Data)
	return p
}

func TestUndelivered(t *testing.T) {
	syn := func() *Sighting { return step{src: alice, dst: bob, flags: SYN, seq: 1}.sighting(1e9) }
	for _, test := range []struct {
		name    string
		packets func() []*Sighting
		events  string
		end     Ending
	}{
		{"a SYN is prohibited", func() []*Sighting {
			return []*Sighting{syn(), about(syn(), "10.0.0.2", 3, 13, 0), about(syn(), "10.0.0.2", 3, 13, 0)}
		}, "SYN true false; ICMP false true 3/13 by 10.0.0.2 MTU 0; ", Unreached},
		{"quoted in 8 bytes", func() []*Sighting {
			cut := syn()
			cut.Data = cut.Data[:cut.Transport+8]
			return []*Sighting{syn(), about(cut, "10.9.9.9", 3, 1, 0)}
		}, "SYN true false; ICMP false true 3/1 by 10.9.9.9 MTU 0; ", Unreached},
		{"too big", func() []*Sighting {
			return []*Sighting{syn(), about(syn(), "10.9.9.9", 3, 4, 1400)}
		}, "SYN true false; ICMP false false 3/4 by 10.9.9.9 MTU 1400; no answer true false; ", Unanswered},
		{"answered in the end", func() []*Sighting {
			answer := step{src: bob, dst: alice, flags: SYN | ACK, seq: 9, ack: 2}
			return []*Sighting{syn(), about(syn(), "10.9.9.9", 3, 1, 0), answer.sighting(3e9)}
		}, "SYN true false; ICMP false true 3/1 by 10.9.9.9 MTU 0; SYN-ACK false false; ", Open},
		{"the connection is not known", func() []*Sighting {
			return []*Sighting{about(syn(), "10.0.0.2", 3, 3, 0)}
		}, "ICMP false false 3/3 by 10.0.0.2 MTU 0; ", Open},
		{"on another wire of the site", func() []*Sighting {
			own := about(syn(), "10.0.0.1", 3, 1, 0)
			own.Place = "other"
			return []*Sighting{syn(), own}
		}, "SYN true false; ICMP false true 3/1 by 10.0.0.1 MTU 0; ", Unreached},
		{"echo", func() []*Sighting { return []*Sighting{syn(), about(syn(), "10.0.0.2", 8, 0, 0)} },
			"SYN true false; no answer true false; ", Unanswered},
		{"cut", func() []*Sighting {
			m := about(syn(), "10.0.0.2", 3, 3, 0)
			m.Data = m.Data[:m.Payload+icmpLen+ipv4Len+3]
			m.Decode(m.Data)
			return []*Sighting{syn(), m}
		}, "SYN true false; no answer true false; ", Unanswered},
	} {
		t.Run(test.name, func(t *testing.T) {
			var events string
			var conns []*Conn
			tracker := Tracker{Done: func(c *Conn) { conns = append(conns, c) }, Event: func(e *Event) {
				events += fmt.Sprint(e.Kind, " ", e.ByClient, " ", e.Refusal)
				if c := e.Complaint; e.Kind == Undelivered {
					events += fmt.Sprintf(" %d/%d by %s MTU %d", c.Type, c.Code, c.By, c.MTU)
				}
				events += "; "
			}}
			for _, p := range test.packets() {
				tracker.See(p)
			}
			tracker.Finish()
			if events != test.events || len(conns) != 1 || conns[0].End != test.end {
				t.Errorf("%s\nwant %s\n%d connections, the first %+v", events, test.events, len(conns), conns[0])
			}
		})
	}
}
