package flow

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

// frame turns readable hex into bytes.
func frame(t testing.TB, parts ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(parts, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	macs   = "020000000002 020000000001"
	tcp    = "c350 1f90 00000001 00000002 5018 ffff 0000 0000" // 50000 > 8080, PSH ACK
	udp    = "c350 0035 000c 0000"
	ipv4   = "4500 002c 0001 0000 40 06 0000 0a000001 0a000002"
	v6addr = "fd000000000000000000000000000001 fd000000000000000000000000000002"
)

func TestDecode(t *testing.T) {
	a4, b4 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	a6, b6 := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	for _, tt := range []struct {
		name  string
		frame []byte
		want  Headers
		notIP bool
	}{
		{name: "ipv4 tcp", frame: frame(t, macs, "0800", ipv4, tcp, "61626364"), want: Headers{
			Src: netip.AddrPortFrom(a4, 50000), Dst: netip.AddrPortFrom(b4, 8080),
			Proto: ProtoTCP, Flags: PSH | ACK, Network: 14, Transport: 34, Payload: 54, PayloadLen: 4}},
		{name: "two tags", frame: frame(t, macs, "88a8 0001 8100 0002 0800", ipv4, tcp), want: Headers{
			Src: netip.AddrPortFrom(a4, 50000), Dst: netip.AddrPortFrom(b4, 8080),
			Proto: ProtoTCP, Flags: PSH | ACK, Network: 22, Transport: 42, Payload: 62, PayloadLen: 4}},
		{name: "ipv4 options", frame: frame(t, macs, "0800", "4600 0020 0001 0000 40 11 0000 0a000001 0a000002 00000000", udp), want: Headers{
			Src: netip.AddrPortFrom(a4, 50000), Dst: netip.AddrPortFrom(b4, 53), Proto: ProtoUDP, Network: 14, Transport: 38, Payload: 46}},
		{name: "later fragment", frame: frame(t, macs, "0800", "4500 002c 0001 0001 40 06 0000 0a000001 0a000002", tcp), want: Headers{
			Src: netip.AddrPortFrom(a4, 0), Dst: netip.AddrPortFrom(b4, 0), Proto: ProtoTCP, Network: 14}},
		{name: "ipv6 tcp", frame: frame(t, macs, "86dd", "60000000 0014 06 40", v6addr, tcp), want: Headers{
			Src: netip.AddrPortFrom(a6, 50000), Dst: netip.AddrPortFrom(b6, 8080), Proto: ProtoTCP, Flags: PSH | ACK, Network: 14, Transport: 54, Payload: 74}},
		{name: "ipv6 hop-by-hop and destination options", frame: frame(t, macs, "86dd", "60000000 0024 00 40", v6addr,
			"3c00000000000000", "0600000000000000", tcp), want: Headers{
			Src: netip.AddrPortFrom(a6, 50000), Dst: netip.AddrPortFrom(b6, 8080), Proto: ProtoTCP, Flags: PSH | ACK, Network: 14, Transport: 70, Payload: 90}},
		{name: "ipv6 first fragment", frame: frame(t, macs, "86dd", "60000000 0014 2c 40", v6addr, "1100000100000001", udp), want: Headers{
			Src: netip.AddrPortFrom(a6, 50000), Dst: netip.AddrPortFrom(b6, 53), Proto: ProtoUDP, Network: 14, Transport: 62, Payload: 70, PayloadLen: 4}},
		{name: "ipv6 later fragment", frame: frame(t, macs, "86dd", "60000000 0014 2c 40", v6addr, "1100000800000001", udp), want: Headers{
			Src: netip.AddrPortFrom(a6, 0), Dst: netip.AddrPortFrom(b6, 0), Proto: ProtoUDP, Network: 14}},
		{name: "icmp has no ports", frame: frame(t, macs, "0800", "4500 001c 0001 0000 40 01 0000 0a000001 0a000002", "08000000"), want: Headers{
			Src: netip.AddrPortFrom(a4, 0), Dst: netip.AddrPortFrom(b4, 0), Proto: ProtoICMP, Network: 14, Payload: 34, PayloadLen: 8}},
		{name: "arp", frame: frame(t, macs, "0806", ipv4), notIP: true},
		{name: "ethernet type lies", frame: frame(t, macs, "0800", "60000000 0014 06 40", v6addr), notIP: true},
		{name: "empty", notIP: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Headers
			if ok := got.Decode(tt.frame); ok == tt.notIP {
				t.Fatalf("is IP: %v", ok)
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// A frame that is cut anywhere gives no wrong address or port: what is there
// is what the whole frame has, the rest is zero.
func TestDecodeCut(t *testing.T) {
	whole := frame(t, macs, "8100 0001 86dd", "60000000 0024 00 40", v6addr, "3c00000000000000", "0600000000000000", tcp)
	var want, got Headers
	want.Decode(whole)
	for n := range whole {
		ok := got.Decode(whole[:n])
		if ok && (got.Src.Addr() != want.Src.Addr() || got.Dst.Addr() != want.Dst.Addr()) {
			t.Errorf("cut at %d: %v > %v", n, got.Src, got.Dst)
		}
		if p := got.Src.Port(); p != 0 && p != want.Src.Port() {
			t.Errorf("cut at %d: port %d", n, p)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	b := frame(t, macs, "0800", ipv4, tcp)
	var h Headers
	if n := testing.AllocsPerRun(100, func() { h.Decode(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Decode never panics, and says IP only where there are two valid addresses.
func FuzzDecode(f *testing.F) {
	f.Add(frame(f, macs, "0800", ipv4, tcp))
	f.Add(frame(f, macs, "86dd", "60000000 0024 00 40", v6addr, "3c00000000000000", "0600000000000000", tcp))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Headers
		if ok := h.Decode(b); ok != (h.Src.IsValid() && h.Dst.IsValid()) {
			t.Errorf("%v: %+v", ok, h)
		}
	})
}
