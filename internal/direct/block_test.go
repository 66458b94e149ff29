package direct

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	"icap/afpacket"
)

// A frame is one packet of a block made by hand.
type frame struct {
	time int64
	data []byte
	wire int
	kind afpacket.PacketType
	vlan afpacket.VLAN
	mac  int // where the data is, from the packet's header; 0: as usual
}

// usualMAC is where the data is behind an Ethernet header of 14 bytes, in a
// ring for direct writing.
const usualMAC = 84

// build lays frames out as the kernel does.
func build(size int, frames ...frame) []byte {
	const (
		statusVLAN     = 1 << 4
		statusVLANTPID = 1 << 6
	)
	e := binary.NativeEndian
	b := alignedBlock(size)
	e.PutUint32(b[8:], 1)
	e.PutUint32(b[12:], uint32(len(frames)))
	at := uint32(afpacket.DirectStart)
	e.PutUint32(b[16:], at)
	for i, f := range frames {
		mac := f.mac
		if mac == 0 {
			mac = usualMAC
		}
		h := b[at:]
		step := uint32(mac+len(f.data)+7) &^ 7
		e.PutUint32(h[4:], uint32(f.time/1e9))
		e.PutUint32(h[8:], uint32(f.time%1e9))
		e.PutUint32(h[12:], uint32(len(f.data)))
		e.PutUint32(h[16:], uint32(max(f.wire, len(f.data))))
		e.PutUint16(h[24:], uint16(mac))
		e.PutUint32(h, 0)
		e.PutUint32(h[20:], 0)
		if i < len(frames)-1 {
			e.PutUint32(h, step)
		}
		if f.vlan.Present {
			e.PutUint32(h[20:], statusVLAN|statusVLANTPID)
			e.PutUint32(h[32:], uint32(f.vlan.TCI))
			e.PutUint16(h[36:], f.vlan.TPID)
		}
		h[58] = byte(f.kind)
		copy(h[mac:], f.data)
		at += step
	}
	e.PutUint32(b[20:], at)
	return b
}

// alignedBlock is memory whose words can be read atomically, filled with what
// an earlier use has left.
func alignedBlock(size int) []byte {
	words := make([]uint64, (size+7)/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size)
	for n := copy(b[48:], "stale"); n < size-48; n *= 2 {
		copy(b[48+n:], b[48:48+n])
	}
	return b
}

// A parsed block of a file.
type parsed struct {
	typ     uint32
	body    []byte
	options map[uint16][]byte
}

// parse takes blocks apart and fails on anything that is not well-formed.
func parse(t testing.TB, b []byte) (blocks []parsed) {
	t.Helper()
	le := binary.LittleEndian
	for len(b) > 0 {
		if len(b) < 12 {
			t.Fatalf("%d bytes behind the last block", len(b))
		}
		total := int(le.Uint32(b[4:]))
		if total%4 != 0 || total < 12 || total > len(b) {
			t.Fatalf("block total length %d of %d bytes", total, len(b))
		}
		if last := int(le.Uint32(b[total-4:])); last != total {
			t.Fatalf("block total length is %d ahead and %d behind", total, last)
		}
		k := parsed{typ: le.Uint32(b), body: b[8 : total-4]}
		fixed := 12
		switch k.typ {
		case blockPacket:
			captured := int(le.Uint32(k.body[12:]))
			fixed = 20 + (captured+3)&^3
			if fixed > len(k.body) || len(bytes.Trim(k.body[20+captured:fixed], "\x00")) > 0 {
				t.Fatalf("packet of %d bytes, padding included, in a block of %d", captured, total)
			}
		case blockStatistics:
		default:
			t.Fatalf("block of type %d", k.typ)
		}
		k.options = parseOptions(t, k.body[fixed:])
		blocks = append(blocks, k)
		b = b[total:]
	}
	return blocks
}

func parseOptions(t testing.TB, b []byte) map[uint16][]byte {
	t.Helper()
	options := map[uint16][]byte{}
	for some := len(b) > 0; some; {
		if len(b) < 4 {
			t.Fatal("options without an end")
		}
		code, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if code == optEnd {
			if n != 0 || len(b) != 0 {
				t.Fatalf("end of options has length %d and %d bytes behind it", n, len(b))
			}
			break
		}
		if n+(-n&3) > len(b) {
			t.Fatalf("option %d of %d bytes, %d are left", code, n, len(b))
		}
		options[code] = b[:n]
		b = b[n+(-n&3):]
	}
	return options
}

// content is what the file must say of a packet.
func (f *frame) content() (data []byte, wire int) {
	data, wire = f.data, max(f.wire, len(f.data))
	if f.vlan.Present && len(data) >= 12 {
		tag := binary.BigEndian.AppendUint16(nil, f.vlan.TPID)
		tag = binary.BigEndian.AppendUint16(tag, f.vlan.TCI)
		data = bytes.Join([][]byte{data[:12], tag, data[12:]}, nil)
		wire += 4
	}
	return data, wire
}

// compare checks a packet of the file, its options left out.
func (k *parsed) compare(t testing.TB, f *frame) {
	t.Helper()
	le := binary.LittleEndian
	data, wire := f.content()
	captured := int(le.Uint32(k.body[12:]))
	if !bytes.Equal(k.body[20:20+captured], data) {
		t.Fatalf("%d bytes of data are not the %d expected", captured, len(data))
	}
	if got := int(le.Uint32(k.body[16:])); got != wire {
		t.Fatalf("length on the wire %d, want %d", got, wire)
	}
	if got := int64(le.Uint32(k.body[4:]))<<32 | int64(le.Uint32(k.body[8:])); got != f.time {
		t.Fatalf("time %d, want %d", got, f.time)
	}
}
