package pcapwriter

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

// One of each block, byte by byte. The comments name the fields of the draft.
var goldenBlocks = []struct {
	name string
	got  []byte
	want string
}{{
	name: "section",
	got:  AppendSection(nil, &Section{Application: "icap"}),
	want: `
		0a0d0d0a           # Block Type
		28000000           # Block Total Length: 40
		4d3c2b1a           # Byte-Order Magic
		0100 0000          # version 1.0
		ffffffff ffffffff  # Section Length: not specified
		0400 0400          # shb_userappl, 4 bytes
		69636170           #   "icap"
		0000 0000          # opt_endofopt
		28000000           # Block Total Length`,
}, {
	name: "section without options",
	got:  AppendSection(nil, &Section{}),
	want: `
		0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffff ffffffff 1c000000`,
}, {
	name: "interface",
	got: AppendInterface(nil, &Interface{
		Name:     "lo",
		Filter:   "tcp",
		LinkType: 1,
		Snaplen:  262144,
		Addrs: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.1/8"),
			netip.MustParsePrefix("::1/128"),
		},
	}),
	want: `
		01000000           # Block Type
		54000000           # Block Total Length: 84
		0100 0000          # LinkType: Ethernet; Reserved
		00000400           # SnapLen: 262144
		0200 0200          # if_name, 2 bytes
		6c6f 0000          #   "lo", padding
		0400 0800          # if_IPv4addr, 8 bytes
		7f000001 ff000000  #   127.0.0.1, 255.0.0.0
		0500 1100          # if_IPv6addr, 17 bytes
		00000000 00000000  #   ::1
		00000000 00000001
		80 000000          #   /128, padding
		0900 0100          # if_tsresol, 1 byte
		09 000000          #   10^-9 s, padding
		0b00 0400          # if_filter, 4 bytes
		00 746370          #   a string: "tcp"
		0000 0000          # opt_endofopt
		54000000           # Block Total Length`,
}, {
	name: "names",
	got: AppendNames(nil, []Name{
		{netip.MustParseAddr("127.0.0.6"), []string{"istio"}},
		{netip.MustParseAddr("::6"), []string{"a", "b"}},
	}),
	want: `
		04000000           # Block Type
		50000000           # Block Total Length: 80
		0100 0a00          # nrb_record_ipv4, 10 bytes
		7f000006           #   127.0.0.6
		697374696f00 0000  #   "istio", padding
		0200 1200          # nrb_record_ipv6, 18 bytes
		00000000 00000000  #   ::6
		00000000 00000006
		6100 0000          #   "a", padding
		0200 1200          # nrb_record_ipv6, 18 bytes
		00000000 00000000  #   ::6
		00000000 00000006
		6200 0000          #   "b", padding
		0000 0000          # nrb_record_end
		50000000           # Block Total Length`,
}, {
	name: "packet",
	got: AppendPacket(nil, &Packet{
		Interface: 1,
		Time:      0x1122334455667788,
		Data:      []byte{1, 2, 3, 4, 5},
		Len:       9,
		Direction: Outbound,
		Reception: Broadcast,
		Comment:   "RST",
		Drops:     7,
	}),
	want: `
		06000000           # Block Type
		48000000           # Block Total Length: 72
		01000000           # Interface ID
		44332211 88776655  # Timestamp (Upper), (Lower)
		05000000           # Captured Packet Length
		09000000           # Original Packet Length
		01020304 05 000000 # Packet Data, padding
		0100 0300          # opt_comment, 3 bytes
		525354 00          #   "RST", padding
		0200 0400          # epb_flags, 4 bytes
		0e000000           #   outbound (2), broadcast (3 << 2)
		0400 0800          # epb_dropcount, 8 bytes
		07000000 00000000  #   7
		0000 0000          # opt_endofopt
		48000000           # Block Total Length`,
}, {
	name: "packet with a VLAN tag and no options",
	got: AppendPacket(nil, &Packet{
		Data: []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x08, 0x00, 0x45},
		Len:  60,
		VLAN: VLAN{TCI: 0x2064, TPID: 0x88a8, Present: true},
	}),
	want: `
		06000000 34000000 00000000 00000000 00000000
		13000000           # Captured Packet Length: 15 + 4
		40000000           # Original Packet Length: 60 + 4
		00010203 04050607  # destination, source
		08090a0b
		88a8 2064          # TPID, TCI
		0800 45 00         # ethertype, the rest, padding
		34000000`,
}, {
	name: "statistics",
	got: AppendStatistics(nil, &Statistics{
		Interface: 1,
		Time:      0x1122334455667788,
		Start:     1 << 32,
		End:       2,
		Received:  10,
		Dropped:   1,
		Accepted:  9,
		OSDropped: 2,
		Delivered: 7,
	}),
	want: `
		05000000           # Block Type
		70000000           # Block Total Length: 112
		01000000           # Interface ID
		44332211 88776655  # Timestamp (Upper), (Lower)
		0200 0800          # isb_starttime
		01000000 00000000
		0300 0800          # isb_endtime
		00000000 02000000
		0400 0800          # isb_ifrecv
		0a000000 00000000
		0500 0800          # isb_ifdrop
		01000000 00000000
		0600 0800          # isb_filteraccept
		09000000 00000000
		0700 0800          # isb_osdrop
		02000000 00000000
		0800 0800          # isb_usrdeliv
		07000000 00000000
		0000 0000          # opt_endofopt
		70000000           # Block Total Length`,
}}

func TestGolden(t *testing.T) {
	for _, g := range goldenBlocks {
		t.Run(g.name, func(t *testing.T) {
			if got, want := hex.EncodeToString(g.got), plainHex(g.want); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			walk(t, g.got)
		})
	}
}

// plainHex removes comments and space.
func plainHex(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		digits, _, _ := strings.Cut(line, "#")
		b.WriteString(strings.Join(strings.Fields(digits), ""))
	}
	return b.String()
}
