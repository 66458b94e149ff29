package capfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

var orders = []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}

// read reads all of a file: its packets as text, and its blocks.
func read(r io.Reader) (packets []string, raw []byte, err error) {
	f, err := capfile.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	for {
		b, err := f.Next()
		if err == io.EOF {
			return packets, raw, nil
		}
		if err != nil {
			return packets, raw, err
		}
		raw = append(raw, b.Raw...)
		if p := b.Packet; p != nil {
			packets = append(packets, fmt.Sprintf("%s#%d type %d at %d: %q of %d",
				p.Interface.Name, p.Interface.Index, p.Interface.LinkType, p.Time, p.Data, p.Len))
			if !bytes.Equal(b.Raw[p.At:p.At+len(p.Data)], p.Data) {
				return packets, raw, errors.New("the data is not at At")
			}
		}
	}
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPcap(t *testing.T) {
	for _, order := range orders {
		for _, test := range []struct {
			magic uint32
			ns    int64
		}{{0xA1B2C3D4, 123_000}, {0xA1B23C4D, 123}} {
			file := pcap(order, test.magic, 123, "one", "", "three")
			packets, raw, err := read(iotest.OneByteReader(bytes.NewReader(file)))
			if err != nil {
				t.Fatal(err)
			}
			at := 1_700_000_000*int64(1e9) + test.ns
			want := []string{
				fmt.Sprintf("#0 type 1 at %d: \"one\" of 10", at),
				fmt.Sprintf("#0 type 1 at %d: \"\" of 7", at+1e9),
				fmt.Sprintf("#0 type 1 at %d: \"three\" of 12", at+2e9),
			}
			equal(t, packets, want...)
			again, _, err := read(bytes.NewReader(raw))
			if err != nil {
				t.Errorf("the blocks are no file: %v", err)
			}
			equal(t, again, want...)
		}
	}
}

func TestPcapng(t *testing.T) {
	for _, order := range orders {
		f := &builder{order: order}
		f.section()
		f.iface(1, 0, func() {
			f.option(2, 0x6c, 0x6f)
			f.option(9, 9)
		})
		f.iface(113, 4, nil)
		f.packet(0, 1_700_000_000_000_000_001, "nano")
		f.packet(1, 1_700_000_000_000_001, "micro")
		f.block(0x40000BAD, func() { f.b = append(f.b, "unknown"...) })
		f.block(2, func() { // obsolete
			f.u16(1)
			f.u16(3)
			f.u32(1)
			f.u32(5)
			f.u32(3)
			f.u32(3)
			f.b = append(f.b, "old"...)
		})
		f.section()
		f.iface(101, 6, func() {
			f.option(9, 0x80|10) // 1/1024 s
			offset := make([]byte, 8)
			order.PutUint64(offset, 100)
			f.option(14, offset...)
		})
		f.packet(0, 1024+512, "binary")
		f.block(3, func() { // without a time, cut by the snapshot length
			f.u32(9)
			f.b = append(f.b, "simple"...)
		})
		packets, raw, err := read(bytes.NewReader(f.b))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			`lo#0 type 1 at 1700000000000000001: "nano" of 11`,
			`#1 type 113 at 1700000000000001000: "micro" of 12`,
			`#1 type 113 at 4294967301000: "old" of 3`,
			`#0 type 101 at 101500000000: "binary" of 13`,
			`#0 type 101 at 0: "simple" of 9`,
		}
		equal(t, packets, want...)
		if !bytes.Equal(raw, f.b) {
			t.Error("the blocks are not the file")
		}
	}
}

// TestTorn cuts a file at every byte.
func TestTorn(t *testing.T) {
	f := &builder{order: binary.LittleEndian}
	f.section()
	f.iface(1, 0, nil)
	whole := map[int]bool{}
	for range 3 {
		whole[len(f.b)] = true
		f.packet(0, 1, "packet")
	}
	whole[len(f.b)] = true
	for n := len(f.b) - 3*40; n <= len(f.b); n++ {
		_, raw, err := read(bytes.NewReader(f.b[:n]))
		var torn *capfile.TornError
		switch {
		case whole[n]:
			if err != nil || len(raw) != n {
				t.Errorf("%d bytes: %v", n, err)
			}
		case !errors.As(err, &torn) || torn.Offset != int64(len(raw)) || torn.Missing <= 0:
			t.Errorf("%d bytes: %v after %d", n, err, len(raw))
		}
	}
	old := pcap(binary.BigEndian, 0xA1B2C3D4, 0, "packet")
	for n := 25; n < len(old); n++ {
		var torn *capfile.TornError
		if _, _, err := read(bytes.NewReader(old[:n])); !errors.As(err, &torn) {
			t.Errorf("pcap of %d bytes: %v", n, err)
		}
	}
}

func TestFormatErrors(t *testing.T) {
	file := func(make func(f *builder)) []byte {
		f := &builder{order: binary.LittleEndian}
		f.section()
		make(f)
		return f.b
	}
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"text", []byte("hello, world"), "neither pcapng nor pcap"},
		{"short", []byte("ab"), "neither pcapng nor pcap"},
		{"version", append([]byte{0xd4, 0xc3, 0xb2, 0xa1, 9, 0}, make([]byte, 18)...), "version 9"},
		{"byte order", append([]byte{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0}, make([]byte, 20)...), "byte order"},
		{"length", file(func(f *builder) { f.u32(6); f.u32(7); f.u32(7) }), "block at byte 28: its length cannot be 7 bytes"},
		{"giant", file(func(f *builder) { f.u32(6); f.u32(1 << 30); f.u32(7) }), "cannot be 1073741824 bytes"},
		{"lengths differ", file(func(f *builder) { f.u32(5); f.u32(12); f.u32(16) }), "12 at the beginning and 16 at the end"},
		{"no interface", file(func(f *builder) { f.packet(0, 0, "x") }), "interface 0, and the section has 0"},
		{"other section's", file(func(f *builder) { f.iface(1, 0, nil); f.section(); f.packet(0, 0, "x") }), "has 0 so far"},
		{"resolution", file(func(f *builder) { f.iface(1, 0, func() { f.option(9, 200) }) }), "option 9"},
		{"captured", file(func(f *builder) {
			f.iface(1, 0, nil)
			f.block(6, func() { f.u64(0); f.u32(0); f.u32(99); f.u32(99) })
		}), "more than its block"},
		{"simple", file(func(f *builder) { f.block(3, func() { f.u32(1) }) }), "simple packet"},
		{"short packet", file(func(f *builder) { f.iface(1, 0, nil); f.block(6, func() {}) }), "too short"},
	} {
		_, _, err := read(bytes.NewReader(test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := capfile.NewReader(strings.NewReader("")); err != io.EOF {
		t.Errorf("empty: %v", err)
	}
}

// TestLargeBlock is larger than what is read at a time.
func TestLargeBlock(t *testing.T) {
	f := &builder{order: binary.BigEndian}
	f.section()
	f.iface(1, 0, nil)
	for i := range 3 {
		f.packet(0, uint64(i), strings.Repeat(string(rune('a'+i)), 3<<20+i))
	}
	packets, raw, err := read(bytes.NewReader(f.b))
	if err != nil || len(packets) != 3 || !bytes.Equal(raw, f.b) {
		t.Errorf("%d packets, %v", len(packets), err)
	}
}

// TestComment puts comments on blocks with and without options.
func TestComment(t *testing.T) {
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{Application: "test"})
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: "lo", LinkType: 1})
	file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Data: []byte("plain")})
	file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Data: []byte("four"), Direction: pcapwriter.Inbound, Comment: "old"})
	file = pcapwriter.AppendStatistics(file, &pcapwriter.Statistics{})
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = b.AppendWithComment(out, "new comment")
	}
	before, _, err := read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := read(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, after, before...)
	want := bytes.Count(file, []byte("old")) + 5
	if got := bytes.Count(out, []byte("new comment")) + bytes.Count(out, []byte("old")); got != want {
		t.Errorf("%d comments, want %d", got, want)
	}
	comments := 0
	r, _ = capfile.NewReader(bytes.NewReader(out))
	for b, err := r.Next(); err == nil; b, err = r.Next() {
		if b.Packet == nil {
			continue
		}
		for o, rest, ok := capfile.NextOption(b.Packet.Options, b.Order); ok; o, rest, ok = capfile.NextOption(rest, b.Order) {
			if o.Code == capfile.OptionComment {
				comments++
			}
		}
	}
	if comments != 3 {
		t.Errorf("%d comments of packets, want 3", comments)
	}
}

// FuzzReader gives anything to the reader. The blocks of a pcapng file are its
// bytes, as far as they can be read, and the data of packets lies in them.
func FuzzReader(f *testing.F) {
	for _, order := range orders {
		b := &builder{order: order}
		b.section()
		b.iface(1, 64, func() { b.option(2, 0x6c, 0x6f) })
		b.packet(0, 1, "packet")
		b.block(3, func() { b.u32(2); b.b = append(b.b, "ab"...) })
		f.Add(b.b)
		f.Add(pcap(order, 0xA1B2C3D4, 1, "packet", "two"))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, raw, err := read(bytes.NewReader(file))
		if errors.Is(err, capfile.ErrNotCapture) {
			return
		}
		if bytes.HasPrefix(file, []byte{0x0a, 0x0d, 0x0d, 0x0a}) && !bytes.HasPrefix(file, raw) {
			t.Error("blocks that are not in the file")
		}
		if _, again, err := read(bytes.NewReader(raw)); len(raw) > 0 && (err != nil || !bytes.Equal(raw, again)) {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}
