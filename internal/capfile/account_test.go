package capfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"icap/internal/capfile"
)

// counted is a section with two interfaces, three packets of the first, and
// its statistics ahead of the last packet.
func counted(order binary.ByteOrder) *builder {
	f := &builder{order: order}
	f.section()
	for range 2 {
		f.block(capfile.TypeInterface, func() { f.u16(1); f.u16(0); f.u32(0) })
	}
	for i := range 3 {
		if i == 2 {
			f.block(capfile.TypeStatistics, func() {
				f.u32(0)
				f.u64(0)
				for code := uint16(3); code <= 8; code++ {
					f.u16(code)
					f.u16(8)
					f.u64(uint64(code))
				}
			})
		}
		f.block(capfile.TypePacket, func() {
			f.u32(0)
			f.u64(0)
			f.u32(5)
			f.u32(5)
			f.b = append(f.b, "12345"...)
			f.pad()
			f.u16(4)
			f.u16(8)
			f.u64(7)
		})
	}
	return f
}

func TestCount(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f := counted(order)
		f.b = append(f.b, counted(order).b...)
		r, err := capfile.NewReader(bytes.NewReader(f.b))
		if err != nil {
			t.Fatal(err)
		}
		a, err := capfile.Count(r)
		if err != nil || a.Sections != 2 || a.Packets != 6 || len(a.Interfaces) != 4 || a.Whole != int64(len(f.b)) {
			t.Fatalf("got %+v, %v", a, err)
		}
		for _, i := range []int{0, 2} {
			own := a.Interfaces[i]
			if own.Section != i/2 || own.Packets != 3 || own.Since != 1 || own.Gaps != 21 {
				t.Errorf("interface %d: %+v", i, own)
			}
			s := own.Statistics
			if s == nil || s.Received.N != 4 || s.Dropped.N != 5 || s.Accepted.N != 6 || s.OSDropped.N != 7 || s.Delivered != (capfile.Counter{N: 8, Told: true}) || !s.Ended {
				t.Errorf("interface %d: statistics %+v", i, s)
			}
			if other := a.Interfaces[i+1]; other.Statistics != nil || other.Packets != 0 {
				t.Errorf("interface %d: %+v", i+1, other)
			}
		}
	}
}

// TestCountTorn cuts a file at every byte: what is whole is known.
func TestCountTorn(t *testing.T) {
	whole := counted(binary.LittleEndian).b
	ends := map[int64]bool{}
	for n := 1; n <= len(whole); n++ {
		r, err := capfile.NewReader(bytes.NewReader(whole[:n]))
		if err != nil {
			if n >= 4 {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		a, err := capfile.Count(r)
		var torn *capfile.TornError
		if (a.Whole == int64(n)) != (err == nil) || err != nil && (!errors.As(err, &torn) || torn.Offset != a.Whole) {
			t.Errorf("%d bytes: %d are whole, %v", n, a.Whole, err)
		}
		ends[a.Whole] = true
	}
	if len(ends) != 8 { // 7 blocks, and none
		t.Errorf("blocks end at %v", ends)
	}
}
