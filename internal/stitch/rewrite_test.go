package stitch

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

func addrPort(a [4]byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4(a), 1) }

// TestRewriteChecksums compares with the packet as gopacket makes it.
func TestRewriteChecksums(t *testing.T) {
	for _, flags := range []string{"A", "U"} {
		for _, addrs := range [][3]string{
			{"10.0.0.5:40000", "127.0.0.1:15001", "10.96.1.1:80"},
			{"[fd00::5]:40000", "[::1]:15001", "[fd00:96::1]:80"},
		} {
			for size := range 70 {
				for _, partial := range []bool{false, true} {
					seen := segment{addrs[0], addrs[1], flags, 5, 6, strings.Repeat("x", size), partial}
					natural := seen
					natural.dst, natural.partial = addrs[2], false
					c := &Conn{state: known, src: netip.MustParseAddrPort(natural.src), dst: netip.MustParseAddrPort(natural.dst)}
					want := natural.frame(t)
					got := seen.frame(t)
					c.Rewrite(view(t, got))
					if !bytes.Equal(got, want) {
						t.Fatalf("%s %s, %d bytes, partial %v:\n%x\nwant\n%x", flags, addrs, size, partial, got, want)
					}
				}
			}
		}
	}
}

// TestRewriteCut cuts segments: a real checksum stays that of the whole, a
// partial one stays partial.
func TestRewriteCut(t *testing.T) {
	for _, flags := range []string{"A", "U"} {
		for _, partial := range []bool{false, true} {
			seen := segment{app, proxy, flags, 5, 6, strings.Repeat("x", 400), partial}
			natural := seen
			natural.dst = service
			want := natural.frame(t)[:100]
			c := &Conn{state: known, src: netip.MustParseAddrPort(app), dst: netip.MustParseAddrPort(service)}
			got := seen.frame(t)[:100]
			c.Rewrite(view(t, got))
			if !bytes.Equal(got, want) {
				t.Errorf("%s, partial %v:\n%x\nwant\n%x", flags, partial, got, want)
			}
		}
	}
}

func TestNoChecksumStaysNone(t *testing.T) {
	frame := segment{app, proxy, "U", 0, 0, "query", false}.frame(t)
	v := view(t, frame)
	binary.BigEndian.PutUint16(v.checksum(), 0)
	c := &Conn{state: known, src: netip.MustParseAddrPort(app), dst: netip.MustParseAddrPort(service)}
	c.Rewrite(v)
	if got := binary.BigEndian.Uint16(v.checksum()); got != 0 {
		t.Errorf("%#x", got)
	}
}

func TestFillChecksum(t *testing.T) {
	want := segment{app, service, "A", 5, 6, "data of some length", false}.frame(t)
	got := segment{app, service, "A", 5, 6, "data of some length", true}.frame(t)
	if !view(t, got).FillChecksum() || !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	if view(t, got).FillChecksum() {
		t.Error("a checksum was completed twice")
	}
	cut := segment{app, service, "A", 5, 6, "data of some length", true}.frame(t)
	if view(t, cut[:len(cut)-1]).FillChecksum() {
		t.Error("a checksum was completed without the data")
	}
}
