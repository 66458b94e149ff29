package gather_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/pcapwriter"
)

// option encodes one.
func option(code uint16, value string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, (value + "\x00\x00\x00")[:(len(value)+3)&^3]...)
}

// TestKept merges packets and interfaces with every option there is: all but
// the interface's number is in the file as it came.
func TestKept(t *testing.T) {
	s := new(script)
	s.b = pcapwriter.AppendSection(nil, &pcapwriter.Section{Comment: "icap pod web", Hardware: "amd64"})
	hardware := slices.Concat(option(6, "\x02\x00\x00\x00\x00\x01"), option(8, "12345678"), option(13, "\x04"), option(15, "NIC of node 1"))
	s.b = pcapwriter.AppendInterface(s.b, &pcapwriter.Interface{Name: "eth0", Description: "own words", Filter: "tcp", OS: "linux",
		LinkType: 1, Snaplen: 262144, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fd00::1/64")},
		Options: hardware})
	s.links, s.delivered = []string{"eth0"}, []uint64{0}
	s.add(&pcapwriter.Packet{Time: 1e6, Data: []byte("flags"), Len: 100, Direction: pcapwriter.Outbound, Reception: pcapwriter.Unicast})
	s.add(&pcapwriter.Packet{Time: 2e6, Data: []byte("all of them"), Comment: "a comment", Drops: 7, Direction: pcapwriter.Inbound})
	s.b = append(s.b, packetWith(3e6, "hash", option(3, "\x02abcd"), option(5, "12345678"), option(6, "\x01\x00\x00\x00"), option(0x8001, "local"))...)
	s.delivered[0]++
	s.statistics(4)

	other := oneLeg("other") // so that numbers change
	other.packet(0, 0, "first")
	other.statistics(1)
	_, file := merged(t, gather.Config{}, other.source("n1"), s.source("n2"))
	got := read(t, file)
	for _, want := range read(t, s.b) {
		if want.Packet == nil {
			continue
		}
		i := slices.IndexFunc(got, func(b block) bool { return b.text == want.text })
		if i < 0 {
			t.Errorf("no packet %q", want.text)
			continue
		}
		if own := got[i]; !bytes.Equal(own.Raw[12:], want.Raw[12:]) {
			t.Errorf("packet % x\nbecame % x", want.Raw, own.Raw)
		}
	}
	i := slices.IndexFunc(got, func(b block) bool {
		return b.Type == capfile.TypeInterface && bytes.Contains(b.Raw, []byte("own words"))
	})
	raw := got[i].Raw
	for _, want := range [][]byte{
		option(2, "eth0"), option(3, "node n2; own words"), option(9, "\x09"), option(11, "\x00tcp"), option(12, "linux"),
		option(4, "\x0a\x00\x00\x01\xff\xff\xff\x00"), hardware, option(1, "icap pod web"),
	} {
		if n := bytes.Count(raw, want); n != 1 {
			t.Errorf("option %q is there %d times", want, n)
		}
	}
}

// packetWith is a packet of the first interface with options.
func packetWith(ns uint64, data string, options ...[]byte) []byte {
	le := binary.LittleEndian
	body := le.AppendUint32(nil, 0)
	body = le.AppendUint32(body, uint32(ns>>32))
	body = le.AppendUint32(body, uint32(ns))
	body = le.AppendUint32(body, uint32(len(data)))
	body = le.AppendUint32(body, uint32(len(data)))
	body = append(body, (data + "\x00\x00\x00")[:(len(data)+3)&^3]...)
	body = append(body, slices.Concat(options...)...)
	body = append(body, option(0, "")...)
	n := uint32(len(body) + 12)
	b := le.AppendUint32(nil, capfile.TypePacket)
	b = append(le.AppendUint32(b, n), body...)
	return le.AppendUint32(b, n)
}

// TestResolutions merges a stream that counts in microseconds from another
// zero.
func TestResolutions(t *testing.T) {
	s := new(script)
	s.b = pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	start := len(s.b)
	s.b = pcapwriter.AppendInterface(s.b, &pcapwriter.Interface{Name: "slow", LinkType: 1, Snaplen: 262144,
		Options: option(14, "\x02\x00\x00\x00\x00\x00\x00\x00")})
	s.b[start+bytes.Index(s.b[start:], option(9, "\x09"))+4] = 6
	s.b = append(s.b, packetWith(500, "half", option(1, "c"))...)
	s.b = pcapwriter.AppendStatistics(s.b, &pcapwriter.Statistics{Time: 1000, Start: 1, End: 2, Delivered: 1})
	_, file := merged(t, gather.Config{}, s.source("n"))
	blocks := read(t, file)
	p := blocks[2].Packet
	if want := int64(2_000_500_000); p == nil || p.Time != want {
		t.Fatalf("packet %+v, want time %d", p, want)
	}
	time := func(ns uint64) string {
		return string(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(ns>>32)), uint32(ns)))
	}
	raw := blocks[3].Raw
	if string(raw[12:20]) != time(2_001_000_000) || !bytes.Contains(raw, option(2, time(2_000_001_000))) || !bytes.Contains(raw, option(3, time(2_000_002_000))) {
		t.Errorf("statistics % x", raw)
	}
}

// TestSections has a stream of two sections, as after a reconnect inside, and a
// second stream of one node.
func TestSections(t *testing.T) {
	a := oneLeg("a")
	a.packet(0, 1, "one")
	a.statistics(2)
	a.section("eth0:inbound-wire@a", "lo:inbound-app@a")
	a.packet(1, 3, "two")
	a.iface("lo:outbound-app@a")
	a.packet(2, 4, "three")
	a.statistics(5)
	again := oneLeg("a")
	again.packet(0, 6, "four")
	again.statistics(7)
	r, file := firstThen(t, gather.Config{}, a.source("node-1"), again.source("node-1"))
	var places []string
	for _, b := range read(t, file) {
		if p := b.Packet; p != nil {
			places = append(places, p.Interface.Name+" "+gather.Origin(p.Interface.Description)+" "+string(p.Data))
		}
	}
	want := []string{
		"eth0:inbound-wire@a node node-1 one", "lo:inbound-app@a node node-1 #2 two",
		"lo:outbound-app@a node node-1 #2 three", "eth0:inbound-wire@a node node-1 #3 four",
	}
	if !slices.Equal(places, want) {
		t.Errorf("got  %q\nwant %q", places, want)
	}
	if s := r.Streams[0]; s.Sections != 2 || s.Received != 1+2 {
		t.Errorf("%+v", s)
	}
}

// TestNamesAndSecrets has both ahead of packets that are older in time, and in
// one place for each address.
func TestNamesAndSecrets(t *testing.T) {
	pod, service, node := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.96.0.1"), netip.MustParseAddr("fd00::1")
	a, b := oneLeg("a"), oneLeg("b")
	a.packet(0, 1, "one")
	a.statistics(1)
	b.b = pcapwriter.AppendNames(b.b, []pcapwriter.Name{{Addr: pod, Names: []string{"not this"}}, {Addr: node, Names: []string{"node-1"}}})
	b.b = pcapwriter.AppendSecrets(b.b, []byte("CLIENT_RANDOM 00 01\n"))
	b.b = append(b.b, 0xad, 0x0b, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0) // of an unknown type
	b.packet(0, 2, "two")
	b.statistics(2)
	r, file := merged(t, gather.Config{Names: []pcapwriter.Name{{Addr: pod, Names: []string{"web.shop"}}, {Addr: service, Names: []string{"web.svc"}}}},
		a.source("n1"), b.source("n2"))
	var order []string
	names := make(map[netip.Addr][]string)
	for _, b := range read(t, file) {
		switch {
		case b.Packet != nil:
			order = append(order, string(b.Packet.Data))
		case b.Type == capfile.TypeSecrets:
			order = append(order, "secrets")
			if !bytes.Contains(b.Raw, []byte("CLIENT_RANDOM 00 01\n")) {
				t.Errorf("secrets %q", b.Raw)
			}
		}
		b.Names(func(a netip.Addr, name string) bool {
			names[a] = append(names[a], name)
			return true
		})
	}
	if got := strings.Join(order, " "); got != "secrets one two" {
		t.Errorf("order %q", got)
	}
	if got := names; len(got) != 3 || !slices.Equal(got[pod], []string{"web.shop"}) || !slices.Equal(got[node], []string{"node-1"}) || !slices.Equal(got[service], []string{"web.svc"}) {
		t.Errorf("names %v", got)
	}
	if r.Streams[1].Skipped != 1 {
		t.Errorf("%+v", r.Streams[1])
	}
}
