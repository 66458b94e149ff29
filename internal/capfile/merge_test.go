package capfile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"icap/internal/capfile"
)

// merge reads files as one, and returns the file that they make.
func merge(t *testing.T, files ...[]byte) (raw []byte, err error) {
	t.Helper()
	var readers []*capfile.Reader
	for _, f := range files {
		r, err := capfile.NewReader(bytes.NewReader(f))
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	m := capfile.NewMerger(readers...)
	for {
		b, err := m.Next()
		if err == io.EOF {
			return raw, nil
		}
		if err != nil {
			return raw, err
		}
		raw = append(raw, b.Raw...)
	}
}

func named(f *builder, name byte) func() {
	return func() { f.option(2, name); f.option(9, 9) }
}

func TestMerge(t *testing.T) {
	for _, order := range orders {
		a := &builder{order: order}
		a.section()
		a.iface(1, 0, named(a, 'a'))
		a.packet(0, 10, "first")
		a.packet(0, 30, "third")
		a.section() // again
		a.iface(1, 0, named(a, 'b'))
		a.packet(0, 60, "sixth")
		a.block(5, func() { a.u32(0); a.u64(1) })
		b := &builder{order: order}
		b.section()
		b.iface(1, 0, named(b, 'c'))
		b.iface(1, 0, named(b, 'd'))
		b.packet(1, 20, "second")
		b.packet(0, 40, "fourth")
		b.packet(1, 50, "fifth")
		raw, err := merge(t, a.b, b.b)
		if err != nil {
			t.Fatal(err)
		}
		packets, _, err := read(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range packets {
			got = append(got, p[:1]+strings.Split(p, `"`)[1])
		}
		if want := "[afirst dsecond athird cfourth dfifth bsixth]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		if bytes.Count(raw, []byte{0x0a, 0x0d, 0x0d, 0x0a}) != 1 {
			t.Error("not one section")
		}
	}
}

func TestMergeRefusals(t *testing.T) {
	little, big := &builder{order: binary.LittleEndian}, &builder{order: binary.BigEndian}
	for _, f := range []*builder{little, big} {
		f.section()
		f.iface(1, 0, nil)
	}
	if _, err := merge(t, little.b, big.b); err == nil || !strings.Contains(err.Error(), "byte order") {
		t.Errorf("two byte orders: %v", err)
	}
	little.block(3, func() { little.u32(1); little.b = append(little.b, 'x') })
	if _, err := merge(t, little.b, pcap(binary.BigEndian, 0xA1B2C3D4, 0, "x")); err == nil || !strings.Contains(err.Error(), "type 3") {
		t.Errorf("simple packet: %v", err)
	}
}
