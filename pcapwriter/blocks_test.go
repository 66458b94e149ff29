package pcapwriter

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
)

// TestHeaderReadBack checks every field of the header and of statistics with
// gopacket, which reads most of them.
func TestHeaderReadBack(t *testing.T) {
	h := testHeader()
	b := inFile(AppendNames(nil, h.Names))
	at := time.Unix(1700000000, 123456789).UTC()
	b = AppendStatistics(b, &Statistics{
		Interface: 1,
		Time:      at.UnixNano(),
		Start:     at.Add(-time.Hour).UnixNano(),
		End:       at.Add(-time.Nanosecond).UnixNano(),
		Received:  1 << 40,
		Dropped:   3,
		Comment:   "end",
	})
	walk(t, b)
	r, _ := gopacketRead(t, b)

	s, want := r.SectionInfo(), h.Section
	if got := (Section{s.Hardware, s.OS, s.Application, s.Comment}); got != want {
		t.Errorf("section is %+v, want %+v", got, want)
	}
	if r.NInterfaces() != len(h.Interfaces) {
		t.Fatalf("%d interfaces, want %d", r.NInterfaces(), len(h.Interfaces))
	}
	for i, want := range h.Interfaces {
		got, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || got.Description != want.Description ||
			got.Filter != want.Filter || got.OS != want.OS ||
			uint16(got.LinkType) != want.LinkType || got.SnapLength != want.Snaplen ||
			got.TimestampResolution != 9 {
			t.Errorf("interface %d is %+v, want %+v", i, got, want)
		}
	}
	lo, err := r.Interface(1)
	if err != nil {
		t.Fatal(err)
	}
	got := lo.Statistics
	if want := (pcapgo.NgInterfaceStatistics{
		LastUpdate:      at,
		StartTime:       at.Add(-time.Hour),
		EndTime:         at.Add(-time.Nanosecond),
		Comment:         "end",
		PacketsReceived: 1 << 40,
		PacketsDropped:  3,
	}); got != want {
		t.Errorf("statistics are %+v, want %+v", got, want)
	}
}

func TestAppendNamesEmpty(t *testing.T) {
	for _, names := range [][]Name{
		nil,
		{{Addr: netip.MustParseAddr("::6")}},
		{{Addr: netip.MustParseAddr("::6"), Names: []string{""}}},
		{{Names: []string{"nobody"}}},
	} {
		if got := AppendNames([]byte{1}, names); !bytes.Equal(got, []byte{1}) {
			t.Errorf("names %v give %x, want nothing", names, got)
		}
	}
}

func TestAppendNamesForms(t *testing.T) {
	mapped := netip.MustParseAddr("::ffff:127.0.0.6")
	plain := netip.MustParseAddr("127.0.0.6")
	if got, want := AppendNames(nil, []Name{{mapped, []string{"a"}}}), AppendNames(nil, []Name{{plain, []string{"a"}}}); !bytes.Equal(got, want) {
		t.Errorf("mapped address gives %x, want %x", got, want)
	}
	// The longest record is cut like any string, and a zero byte inside a
	// name would divide it in two.
	b := AppendNames(nil, []Name{{netip.MustParseAddr("::6"), []string{"a\x00b" + strings.Repeat("x", 70000)}}})
	record := walk(t, b)[0].options[recordIPv6]
	if len(record) != maxOptionLen || bytes.IndexByte(record[16:], 0) != len(record)-17 {
		t.Errorf("record has %d bytes and ends at %d", len(record), bytes.IndexByte(record[16:], 0))
	}
}

func TestInterfaceInvalidAddr(t *testing.T) {
	with := AppendInterface(nil, &Interface{Addrs: []netip.Prefix{{}}})
	if want := AppendInterface(nil, &Interface{}); !bytes.Equal(with, want) {
		t.Errorf("got %x, want %x", with, want)
	}
}

// randomText returns any bytes, often with some sense.
func randomText(r *rand.Rand) string {
	alphabet := []string{"", "a", "pod.ns", "ä", "漢", "\x00", "\xff", "\x1b[31m", "\n", "0123456789"}
	var s strings.Builder
	for range r.IntN(8) {
		s.WriteString(strings.Repeat(alphabet[r.IntN(len(alphabet))], r.IntN(4)))
	}
	return s.String()
}

// clean is what a reader gets for s: an independent statement of appendText.
func clean(s string) string {
	return strings.ReplaceAll(strings.Join(runes(s), ""), "\x00", "\uFFFD")
}

func runes(s string) []string {
	var out []string
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

// TestRandomSequences: any sequence of blocks with any strings is well-formed,
// and every option reads back equal.
func TestRandomSequences(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b []byte
		var types []uint32
		var comments []string
		add := func(typ uint32, comment string) {
			types = append(types, typ)
			comments = append(comments, clean(comment))
		}
		b = AppendSection(b, &Section{Comment: "x"})
		add(blockSection, "x")
		b = AppendInterface(b, &Interface{LinkType: 1})
		add(blockInterface, "")
		for range r.IntN(20) {
			text := randomText(r)
			switch r.IntN(5) {
			case 0:
				b = AppendSection(b, &Section{randomText(r), randomText(r), randomText(r), text})
				b = AppendInterface(b, &Interface{LinkType: 1})
				add(blockSection, text)
				add(blockInterface, "")
			case 1:
				b = AppendInterface(b, &Interface{Name: text, Filter: randomText(r), OS: randomText(r), LinkType: 1})
				add(blockInterface, "")
			case 2:
				b = AppendNames(b, []Name{{netip.AddrFrom4([4]byte{1, 2, 3, 4}), []string{"n" + text}}})
				add(blockNames, "")
			case 3:
				data := bytes.Repeat([]byte{0xaa}, r.IntN(70))
				b = AppendPacket(b, &Packet{Data: data, Comment: text, Drops: r.Uint64N(3)})
				add(blockPacket, text)
			case 4:
				b = AppendStatistics(b, &Statistics{Time: r.Int64(), Start: r.Int64N(2), Comment: text})
				add(blockStatistics, text)
			}
		}
		blocks := walk(t, b)
		if len(blocks) != len(types) {
			t.Fatalf("%d blocks, want %d", len(blocks), len(types))
		}
		for i, k := range blocks {
			comment := ""
			if k.typ != blockNames {
				comment = string(k.options[optComment])
			}
			if k.typ != types[i] || comment != comments[i] {
				t.Fatalf("block %d has type %#x and comment %q, want %#x and %q", i, k.typ, comment, types[i], comments[i])
			}
		}
		gopacketRead(t, b)
	}
}

// TestWholeBlocks cuts a sequence at every offset.
func TestWholeBlocks(t *testing.T) {
	var b []byte
	var ends []int
	for n := range 5 {
		b = AppendPacket(b, &Packet{Data: make([]byte, n)})
		ends = append(ends, len(b))
		b = AppendStatistics(b, &Statistics{})
		ends = append(ends, len(b))
	}
	for n := range len(b) + 1 {
		i, _ := slices.BinarySearch(ends, n+1) // blocks that end at or before n
		wantSize := 0
		if i > 0 {
			wantSize = ends[i-1]
		}
		size, packets := wholeBlocks(b[:n])
		if size != wantSize || packets != uint64(i+1)/2 {
			t.Errorf("cut at %d: %d bytes and %d packets, want %d and %d",
				n, size, packets, wantSize, (i+1)/2)
		}
	}
}

// TestPrograms has tshark, capinfos and tcpdump read one of everything.
func TestPrograms(t *testing.T) {
	f := tempFile(t)
	w, err := NewWriter(f, testHeader(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	packets := []Packet{
		{Time: 1700000000_000000001, Data: udpFrame(10), Direction: Inbound, Reception: Unicast},
		{Interface: 1, Time: 1700000001_999999999, Data: udpFrame(11), Len: 9000, Direction: Outbound, Comment: "flow start: ä 漢"},
		{Time: 1700000002_000000000, Data: udpFrame(12), VLAN: VLAN{TCI: 100, Present: true}, Drops: 42},
		{Time: 1700000003_000000000, Data: udpFrame(13), Comment: strings.Repeat("long ", 20000)},
	}
	for i := range packets {
		if err := w.WritePacket(&packets[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(2) {
		if err := w.WriteStatistics(&Statistics{Interface: i, Time: 1700000004e9, Received: 4, Delivered: 4}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), uint64(len(packets)))

	got := tsharkFields(t, f.Name(), "frame.interface_name", "frame.time_epoch",
		"frame.cap_len", "frame.len", "frame.packet_flags_direction",
		"frame.drop_count", "vlan.id", "udp.length")
	want := []string{
		"eth0:inbound-wire|1700000000.000000001|52|52|0x00000001|||18",
		"lo:inbound-app|1700000001.999999999|53|9000|0x00000002|||19",
		"eth0:inbound-wire|1700000002.000000000|58|58||42|100|20",
		"eth0:inbound-wire|1700000003.000000000|55|55||||21",
	}
	if !slices.Equal(got, want) {
		t.Errorf("tshark reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := tsharkFields(t, f.Name(), "frame.comment")[1]; got != packets[1].Comment {
		t.Errorf("tshark reads comment %q, want %q", got, packets[1].Comment)
	}
	names := run(t, "tshark", "-N", "n", "-r", f.Name(), "-T", "fields", "-e", "_ws.col.Source", "-e", "_ws.col.Destination")
	if want := "productpage.default\tistio-proxy"; names[0] != want {
		t.Errorf("tshark names %q, want %q", names[0], want)
	}
	info := strings.Join(run(t, "capinfos", f.Name()), "\n")
	for _, want := range []string{
		"Ünivac", "Linux 6.12", "icap 1.0", "icap pod productpage.default",
		"eth0:inbound-wire", "client and proxy", "tcp port 15006",
		"Number of stat entries = 1", "nanosecond",
	} {
		if !strings.Contains(info, want) {
			t.Errorf("capinfos does not tell %q:\n%s", want, info)
		}
	}
}

// TestLongestHeader fills every option to the brim and past it.
func TestLongestHeader(t *testing.T) {
	long := strings.Repeat("漢", 30000)
	h := &Header{
		Section:    Section{long, long, long, long},
		Interfaces: []Interface{{Name: long, Description: long, Filter: long, OS: long, LinkType: 1}},
		Names:      []Name{{netip.MustParseAddr("10.0.0.1"), []string{long, "short"}}},
	}
	f := tempFile(t)
	w, err := NewWriter(f, h, Config{BatchSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WritePacket(&Packet{Data: udpFrame(0), Comment: long}); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 1)
}

// TestTornAtEveryByte states what a reader can rely on: up to any cut, all
// whole blocks are there, and a cut between two blocks is a file.
func TestTornAtEveryByte(t *testing.T) {
	b := inFile(nil)
	header := len(b)
	for n := range 4 {
		b = AppendPacket(b, &Packet{Data: udpFrame(n)})
	}
	path := filepath.Join(t.TempDir(), "cut.pcapng")
	for n := header; n <= len(b); n++ {
		size, packets := wholeBlocks(b[:n])
		if _, got := gopacketRead(t, b[:size]); uint64(len(got)) != packets {
			t.Fatalf("cut at %d: gopacket reads %d packets, want %d", n, len(got), packets)
		}
		if size != n {
			continue
		}
		if err := os.WriteFile(path, b[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := tsharkFields(t, path, "frame.number"); uint64(len(got)) != packets {
			t.Fatalf("cut at %d: tshark reads %d packets, want %d", n, len(got), packets)
		}
	}
}
