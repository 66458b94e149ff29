package capfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"icap/internal/capfile"
)

// decode looks into all blocks of a file in memory.
func decode(file []byte) (packets []string, err error) {
	var d capfile.Decoder
	for at := int64(0); at < int64(len(file)); at = d.Offset() {
		n, err := d.Size(file[at:])
		if err != nil {
			return packets, err
		}
		b, err := d.Decode(file[at : at+int64(n)])
		if err != nil {
			return packets, err
		}
		if b.Offset != at {
			return packets, fmt.Errorf("block at %d says %d", at, b.Offset)
		}
		if p := b.Packet; p != nil {
			if d.Interface(p.Interface.Index) != p.Interface {
				return packets, errors.New("the packet's interface is not that of the section")
			}
			packets = append(packets, fmt.Sprintf("%s#%d type %d at %d: %q of %d",
				p.Interface.Name, p.Interface.Index, p.Interface.LinkType, p.Time, p.Data, p.Len))
		}
	}
	return packets, nil
}

// TestDecoder has a decoder see in memory what a Reader sees.
func TestDecoder(t *testing.T) {
	for _, order := range orders {
		f := &builder{order: order}
		for range 2 {
			f.section()
			f.iface(1, 0, named(f, 'a'))
			f.iface(113, 64, named(f, 'b'))
			f.packet(1, 10, "one")
			f.packet(0, 20, "")
		}
		want, _, err := read(bytes.NewReader(f.b))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(f.b)
		if err != nil {
			t.Error(err)
		}
		equal(t, got, want...)
		var wrong *capfile.FormatError
		f.block(6, func() {})
		if _, err := decode(f.b); !errors.As(err, &wrong) {
			t.Errorf("a packet without fields: %v", err)
		}
		if _, err := decode(f.b[28:]); !errors.As(err, &wrong) || wrong.Offset != 0 {
			t.Errorf("no section: %v", err)
		}
	}
}

// TestRewrite gives packets and statistics other interfaces and times.
func TestRewrite(t *testing.T) {
	for _, order := range orders {
		f := &builder{order: order}
		f.section()
		f.iface(1, 0, named(f, 'a'))
		f.iface(1, 0, func() { f.option(9, 6) }) // in microseconds
		f.packet(0, 10, "one")
		before := len(f.b)
		time := func(v uint64) { f.u32(uint32(v >> 32)); f.u32(uint32(v)) }
		f.block(5, func() {
			f.u32(1)
			time(5<<32 | 7)
			f.u16(2)
			f.u16(8)
			time(3)
			f.u16(3)
			f.u16(8)
			time(4)
			f.u16(0)
			f.u16(0)
		})
		var d capfile.Decoder
		for at := int64(0); at < int64(len(f.b)); at = d.Offset() {
			n, err := d.Size(f.b[at:])
			if err != nil {
				t.Fatal(err)
			}
			b, err := d.Decode(f.b[at : at+int64(n)])
			if err != nil {
				t.Fatal(err)
			}
			b.Renumber(1)
			if b.Packet != nil {
				b.SetTime(6 << 32)
			}
			if b.Type == capfile.TypeStatistics {
				b.RetimeStatistics(d.Interface(1), func(ns int64) int64 { return ns + 1 })
			}
		}
		packets, raw, err := read(bytes.NewReader(f.b))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, packets, fmt.Sprintf(`#1 type 1 at %d: "one" of 10`, int64(6<<32*1000)))
		want := &builder{order: order}
		for _, us := range []uint64{5<<32 | 7, 3, 4} {
			ns := us*1000 + 1
			want.u32(uint32(ns >> 32))
			want.u32(uint32(ns))
		}
		stats := raw[before:]
		if times := bytes.Join([][]byte{stats[12:20], stats[24:32], stats[36:44]}, nil); order.Uint32(stats[8:]) != 1 || !bytes.Equal(times, want.b) {
			t.Errorf("statistics % x, want times % x", stats, want.b)
		}
	}
}
