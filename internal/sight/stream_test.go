package sight

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/pcapwriter"
)

// capture is a file with a TCP segment on an interface, that was sent after two
// others were lost.
func capture(name, description string) []byte {
	frame := make([]byte, 54)
	frame[12], frame[14], frame[17], frame[23] = 8, 0x45, 40, flow.ProtoTCP // IPv4, 40 bytes
	copy(frame[26:], []byte{10, 0, 0, 1, 10, 0, 0, 2, 3, 232, 0, 80})       // 10.0.0.1:1000 > 10.0.0.2:80
	frame[46] = 5 << 4
	b := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	b = pcapwriter.AppendInterface(b, &pcapwriter.Interface{Name: name, Description: description, LinkType: flow.LinkEthernet})
	return pcapwriter.AppendPacket(b, &pcapwriter.Packet{Time: 5, Data: frame, Len: len(frame), Direction: pcapwriter.Outbound, Drops: 2})
}

func TestRead(t *testing.T) {
	var got []string
	see := func(s *flow.Sighting) {
		got = append(got, fmt.Sprintf("%s %s %s %s:%s > %s at %d sent %v missed %d", s.Place, s.Wire, s.Site, s.Host, s.Src, s.Dst, s.Time, s.Sent, s.Missed))
	}
	file := capture("eth0:outbound-wire@web", "node a #2; proxy and peer")
	for _, expr := range []string{"", "dst port 80", "udp"} {
		if err := Read(bytes.NewReader(file), expr, see); err != nil {
			t.Error(err)
		}
	}
	const want = "eth0:outbound-wire@web eth0@web web a:10.0.0.1:1000 > 10.0.0.2:80 at 5 sent true missed 2"
	if len(got) != 2 || got[0] != want || got[1] != want {
		t.Errorf("%q", got)
	}
	if err := Read(bytes.NewReader(file[:len(file)-4]), "", see); err == nil {
		t.Error("a file that is torn is read without an error")
	}
	if err := Read(strings.NewReader(""), "", see); err == nil {
		t.Error("an empty file is read without an error")
	}
}

// TestHosts takes two files for two hosts, unless they name their nodes.
func TestHosts(t *testing.T) {
	var hosts []string
	s := NewStream("", func(s *flow.Sighting) { hosts = append(hosts, s.Host) })
	for _, file := range [][]byte{capture("eth0:direct@a", ""), capture("eth0:direct@b", ""), capture("eth0:direct@c", "node n; direct")} {
		in, err := capfile.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.File(in); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", hosts); got != `["" "file 2" "n"]` {
		t.Error(got)
	}
}
