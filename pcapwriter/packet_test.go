package pcapwriter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// inFile puts blocks behind the header that readers need.
func inFile(blocks []byte) []byte {
	h := testHeader()
	b := AppendSection(nil, &h.Section)
	for i := range h.Interfaces {
		b = AppendInterface(b, &h.Interfaces[i])
	}
	return append(b, blocks...)
}

func TestPacketVLAN(t *testing.T) {
	frame := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x08, 0x00, 0x45, 0x00}
	tag := VLAN{TCI: 0xe00a, TPID: 0x8100, Present: true}
	for n := range len(frame) + 1 {
		want := frame[:n:n]
		grown := 0
		if n >= 12 {
			want = append(bytes.Clone(frame[:12]), 0x81, 0x00, 0xe0, 0x0a)
			want = append(want, frame[12:n]...)
			grown = 4
		}
		b := inFile(AppendPacket(nil, &Packet{Data: frame[:n], Len: 100, VLAN: tag}))
		walk(t, b)
		_, got := gopacketRead(t, b)
		if !bytes.Equal(got[0].data, want) || got[0].wire != 100+grown {
			t.Errorf("frame of %d bytes: got %x (%d on the wire), want %x (%d)",
				n, got[0].data, got[0].wire, want, 100+grown)
		}
	}
}

func TestPacketVLANZeroValues(t *testing.T) {
	b := AppendPacket(nil, &Packet{Data: make([]byte, 14), VLAN: VLAN{Present: true}})
	if got, want := b[packetHeaderLen+12:][:4], []byte{0x81, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("tag is %x, want %x", got, want)
	}
}

func TestPacketFlags(t *testing.T) {
	for d := DirectionUnknown; d <= Outbound; d++ {
		for r := ReceptionUnknown; r <= Promiscuous; r++ {
			k := walk(t, AppendPacket(nil, &Packet{Direction: d, Reception: r}))[0]
			flags, ok := k.options[optPacketFlags]
			if d == DirectionUnknown && r == ReceptionUnknown {
				if ok {
					t.Error("a packet without flags has the option")
				}
				continue
			}
			want := uint32(d) | uint32(r)<<2
			if got := binary.LittleEndian.Uint32(flags); got != want {
				t.Errorf("direction %d, reception %d: flags %#x, want %#x", d, r, got, want)
			}
		}
	}
}

func TestPacketShortLen(t *testing.T) {
	_, got := gopacketRead(t, inFile(AppendPacket(nil, &Packet{Data: make([]byte, 60)})))
	if got[0].wire != 60 {
		t.Errorf("wire length %d, want that of the data, 60", got[0].wire)
	}
}

// TestPacketDirtyBuffer encodes into memory that held something else: nothing
// of that may show through the padding.
func TestPacketDirtyBuffer(t *testing.T) {
	for n := range 9 {
		b := bytes.Repeat([]byte{0xff}, 1024)
		walk(t, AppendPacket(b[:0], &Packet{Data: make([]byte, n), Comment: "x", Drops: 1}))
	}
}

func TestText(t *testing.T) {
	long := strings.Repeat("ä", maxOptionLen/2)
	for _, test := range []struct{ name, in, want string }{
		{"ascii", "tcp port 80", "tcp port 80"},
		{"unicode", "größe 漢字 🦈", "größe 漢字 🦈"},
		{"invalid", "a\xffb\xc3", "a\uFFFDb\uFFFD"},
		{"surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
		{"zero byte", "a\x00b", "a\uFFFDb"},
		{"longest", long, long},
		{"too long", long + "b", long},
		{"too long, cut inside a rune", "a" + long, "a" + long[:len(long)-2]},
		{"invalid, too long", strings.Repeat("\xff", 70000), strings.Repeat("\uFFFD", maxOptionLen/3)},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Packet{Data: []byte{1}, Comment: test.in}
			got := string(walk(t, AppendPacket(nil, &p))[0].options[optComment])
			if got != test.want {
				t.Errorf("got %d bytes %.20q, want %d bytes %.20q",
					len(got), got, len(test.want), test.want)
			}
			h := testHeader()
			h.Section.Comment = test.in
			r, _ := gopacketRead(t, append(AppendSection(nil, &h.Section), AppendInterface(nil, &h.Interfaces[0])...))
			if got := r.SectionInfo().Comment; got != test.want {
				t.Errorf("gopacket reads %.20q, want %.20q", got, test.want)
			}
		})
	}
}

func TestAppendPacketAllocs(t *testing.T) {
	data := udpFrame(1400)
	b := make([]byte, 0, 4096)
	n := testing.AllocsPerRun(1000, func() {
		b = AppendPacket(b[:0], &Packet{
			Data:      data,
			Direction: Inbound,
			VLAN:      VLAN{Present: true},
			Comment:   "a comment that is \xff not UTF-8",
			Drops:     1,
		})
	})
	if n != 0 {
		t.Errorf("%v allocations per packet, want 0", n)
	}
}

// FuzzAppendPacket: whatever a packet holds, gopacket reads the same bytes,
// lengths and time, the block is well-formed, and no room is guessed too small.
func FuzzAppendPacket(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), 1514, int64(1700000000123456789), true, uint16(5), uint16(0x8100), uint8(9), "comment", uint64(3))
	f.Add([]byte{}, 0, int64(0), false, uint16(0), uint16(0), uint8(0), "", uint64(0))
	f.Add([]byte("short"), -1, int64(1)<<62, true, uint16(0), uint16(0), uint8(255), "\xff\x00", ^uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, wire int, ns int64, tagged bool, tci, tpid uint16, flags uint8, comment string, drops uint64) {
		// Neither time before 1970 nor frames of 2 GiB can be written down.
		ns &= 1<<63 - 1
		wire = min(wire, 1<<31-1-tagLen)
		p := Packet{
			Interface: uint32(flags) & 1,
			Time:      ns,
			Data:      data,
			Len:       wire,
			Direction: Direction(flags),
			Reception: Reception(flags >> 2),
			VLAN:      VLAN{TCI: tci, TPID: tpid, Present: tagged},
			Comment:   comment,
			Drops:     drops,
		}
		want := data
		if tagged && len(data) >= 12 {
			want = bytes.Clone(data[:12])
			if tpid == 0 {
				tpid = 0x8100
			}
			want = binary.BigEndian.AppendUint16(want, tpid)
			want = binary.BigEndian.AppendUint16(want, tci)
			want = append(want, data[12:]...)
		}
		wire = max(wire, len(data)) + len(want) - len(data)

		b := AppendPacket(nil, &p)
		k := walk(t, b)[0]
		text := string(k.options[optComment])
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Errorf("comment %q", text)
		}
		if room := packetHeaderLen + len(want) + padding(len(want)) + optionsRoom(&p) + blockTrailerLen; len(b) > room {
			t.Errorf("block of %d bytes in room for %d", len(b), room)
		}
		_, got := gopacketRead(t, inFile(b))
		if len(got) != 1 || !bytes.Equal(got[0].data, want) || got[0].wire != wire ||
			got[0].iface != int(p.Interface) || !got[0].time.Equal(time.Unix(0, ns)) {
			t.Errorf("got %+v, want %x, %d bytes on the wire, time %d", got, want, wire, ns)
		}
	})
}

func BenchmarkAppendPacket(b *testing.B) {
	for _, n := range []int{64, 256, 1500} {
		b.Run(fmt.Sprintf("size=%d", n), func(b *testing.B) {
			p := Packet{Data: make([]byte, n), Len: n, Direction: Inbound}
			buf := make([]byte, 0, 1<<20)
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if cap(buf)-len(buf) < 2048 {
					buf = buf[:0]
				}
				buf = AppendPacket(buf, &p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/pkt")
		})
	}
}
