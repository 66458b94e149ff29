package load

import (
	"bytes"
	"encoding/binary"
)

// Layout of a frame of the load: Ethernet, IPv4, UDP, and a payload that
// begins with the number of the run and that of the frame.
const (
	ethernetLen    = 14
	ipv4Len        = 20
	udpLen         = 8
	runOffset      = ethernetLen + ipv4Len + udpLen
	sequenceOffset = runOffset + 4
	patternOffset  = sequenceOffset + 4
)

// Where frames say that they come from and go to. The addresses are from the
// local ranges. Nobody has the destination, so the kernel drops the frames
// right behind the packet sockets.
var (
	sourceMAC      = [6]byte{0x02, 0, 0, 0, 0, 1}
	destinationMAC = [6]byte{0x02, 0, 0, 0, 0, 2}
	sourceIP       = [4]byte{10, 99, 0, 1}
	destinationIP  = [4]byte{10, 99, 0, 2}
)

// newFrame makes the frame number 0 of a run, size bytes long without the
// checksum that only a wire has.
func newFrame(size int, run uint32) []byte {
	const (
		etherTypeIPv4 = 0x0800
		protocolUDP   = 17
		port          = 9 // discard
	)
	f := make([]byte, size)
	copy(f[0:], destinationMAC[:])
	copy(f[6:], sourceMAC[:])
	binary.BigEndian.PutUint16(f[12:], etherTypeIPv4)

	ip := f[ethernetLen : ethernetLen+ipv4Len]
	ip[0] = 4<<4 | ipv4Len/4
	binary.BigEndian.PutUint16(ip[2:], uint16(size-ethernetLen))
	ip[8] = 64
	ip[9] = protocolUDP
	copy(ip[12:], sourceIP[:])
	copy(ip[16:], destinationIP[:])
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))

	// A UDP checksum of zero means none, see RFC 768.
	udp := f[ethernetLen+ipv4Len : runOffset]
	binary.BigEndian.PutUint16(udp[0:], port)
	binary.BigEndian.PutUint16(udp[2:], port)
	binary.BigEndian.PutUint16(udp[4:], uint16(size-ethernetLen-ipv4Len))

	binary.BigEndian.PutUint32(f[runOffset:], run)
	for i := patternOffset; i < size; i++ {
		f[i] = byte(i * 7)
	}
	return f
}

// setSequence makes a frame of a run another one of the same run.
func setSequence(frame []byte, n uint32) {
	binary.BigEndian.PutUint32(frame[sequenceOffset:], n)
}

// sequence is the number of a frame.
func sequence(frame []byte) uint32 {
	return binary.BigEndian.Uint32(frame[sequenceOffset:])
}

// IsLoad reports whether a frame was sent by this package, in whichever run.
func IsLoad(data []byte) bool {
	return len(data) >= ethernetLen &&
		bytes.Equal(data[:6], destinationMAC[:]) && bytes.Equal(data[6:12], sourceMAC[:])
}

// sameRun reports whether a frame is that of frame's run, every byte of it,
// but for the sequence number.
func sameRun(frame, data []byte) bool {
	return len(data) == len(frame) &&
		bytes.Equal(data[:sequenceOffset], frame[:sequenceOffset]) &&
		bytes.Equal(data[patternOffset:], frame[patternOffset:])
}

// checksum is the internet checksum of an IPv4 header, see RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
