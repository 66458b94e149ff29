package capfile_test

import (
	"encoding/binary"
)

// A builder makes files of either byte order.
type builder struct {
	order binary.ByteOrder
	b     []byte
}

func (f *builder) u16(v uint16) {
	f.b = append(f.b, 0, 0)
	f.order.PutUint16(f.b[len(f.b)-2:], v)
}

func (f *builder) u32(v uint32) {
	f.b = append(f.b, 0, 0, 0, 0)
	f.order.PutUint32(f.b[len(f.b)-4:], v)
}

func (f *builder) u64(v uint64) {
	f.b = append(f.b, make([]byte, 8)...)
	f.order.PutUint64(f.b[len(f.b)-8:], v)
}

func (f *builder) pad() {
	for len(f.b)%4 != 0 {
		f.b = append(f.b, 0)
	}
}

// block frames what body appends.
func (f *builder) block(typ uint32, body func()) {
	start := len(f.b)
	f.u32(typ)
	f.u32(0)
	body()
	f.pad()
	f.u32(0)
	n := uint32(len(f.b) - start)
	f.order.PutUint32(f.b[start+4:], n)
	f.order.PutUint32(f.b[len(f.b)-4:], n)
}

func (f *builder) option(code uint16, value ...byte) {
	f.u16(code)
	f.u16(uint16(len(value)))
	f.b = append(f.b, value...)
	f.pad()
}

func (f *builder) section() {
	f.block(0x0A0D0D0A, func() {
		f.u32(0x1A2B3C4D)
		f.u16(1)
		f.u16(0)
		f.u64(1<<64 - 1)
	})
}

// iface makes an interface with options given in any way.
func (f *builder) iface(linkType uint16, snaplen uint32, options func()) {
	f.block(1, func() {
		f.u16(linkType)
		f.u16(0)
		f.u32(snaplen)
		if options != nil {
			options()
			f.option(0)
		}
	})
}

func (f *builder) packet(i uint32, ticks uint64, data string) {
	f.block(6, func() {
		f.u32(i)
		f.u32(uint32(ticks >> 32))
		f.u32(uint32(ticks))
		f.u32(uint32(len(data)))
		f.u32(uint32(len(data)) + 7)
		f.b = append(f.b, data...)
	})
}

// pcap makes a file of the older format with packets a second apart.
func pcap(order binary.ByteOrder, magic uint32, fraction uint32, packets ...string) []byte {
	f := &builder{order: order}
	f.u32(magic)
	f.u16(2)
	f.u16(4)
	f.u64(0)
	f.u32(262144)
	f.u32(1)
	for i, p := range packets {
		f.u32(uint32(1700000000 + i))
		f.u32(fraction)
		f.u32(uint32(len(p)))
		f.u32(uint32(len(p)) + 7)
		f.b = append(f.b, p...)
	}
	return f.b
}
