package socktrace

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// decode reads what a program has sent. It is not ok if it is of no connection.
func (t *trace) decode(b []byte) (r Record, ok bool) {
	if len(b) < recordLen {
		return r, false
	}
	r = Record{
		Kind:   Kind(binary.NativeEndian.Uint32(b[atKind:])),
		Time:   t.epoch + int64(binary.NativeEndian.Uint64(b[atTime:])),
		Netns:  binary.NativeEndian.Uint32(b[atNetns:]),
		UID:    binary.NativeEndian.Uint32(b[atUID:]),
		HasUID: b[atFull] != 0,
	}
	first := binary.NativeEndian.Uint32(b[atFirst:])
	switch {
	case r.Kind == State:
		r.Old, r.New = uint8(first), uint8(binary.NativeEndian.Uint32(b[atSecond:]))
	case r.Kind == Sent && t.reason:
		r.Reason = t.reasons[first]
	}
	// A listening socket is locked by whoever accepts on it meanwhile.
	if binary.NativeEndian.Uint32(b[atOwned:]) != 0 && b[atState] != stateListen {
		id := binary.NativeEndian.Uint64(b[atPID:])
		r.PID, r.TID = int(id>>32), int(uint32(id))
		comm, _, _ := bytes.Cut(b[atComm:atComm+commLen], []byte{0})
		r.Command = printable(comm)
	}
	if r.Local, r.Remote, ok = packetEnds(b[atIP:atIP+ipLen], b[atTCP:]); ok {
		return r, true
	}
	r.Local, r.Remote, ok = socketEnds(b)
	return r, ok
}

// complete gives a socket that has begun to connect its port, which the kernel
// chooses just after that: its next record tells. Until then the record is kept.
func (t *trace) complete(r Record, socket uint64) (whole Record, ok bool) {
	if r.Kind == State && r.New == stateSynSent && r.Local.Port() == 0 {
		if len(t.connecting) >= room {
			clear(t.connecting)
		}
		t.connecting[socket] = r
		return Record{}, false
	}
	if r.Local.Port() == 0 {
		return Record{}, false
	}
	begun, ok := t.connecting[socket]
	if !ok {
		return r, true
	}
	delete(t.connecting, socket)
	if begun.Remote != r.Remote {
		return r, true
	}
	begun.Local, t.later, t.hasLater = r.Local, r, true
	return begun, true
}

// packetEnds are those of the packet that is answered, seen from here.
func packetEnds(ip, tcp []byte) (local, remote netip.AddrPort, ok bool) {
	var src, dst []byte
	switch ip[0] >> 4 {
	case 4:
		src, dst = ip[12:16], ip[16:20]
	case 6:
		src, dst = ip[8:24], ip[24:40]
	default:
		return local, remote, false
	}
	from, _ := netip.AddrFromSlice(src)
	to, _ := netip.AddrFromSlice(dst)
	return netip.AddrPortFrom(to.Unmap(), binary.BigEndian.Uint16(tcp[2:])),
		netip.AddrPortFrom(from.Unmap(), binary.BigEndian.Uint16(tcp)), true
}

// socketEnds are those of the socket.
func socketEnds(b []byte) (local, remote netip.AddrPort, ok bool) {
	var own, other netip.Addr
	switch binary.NativeEndian.Uint16(b[atFamily:]) {
	case unix.AF_INET:
		own, other = netip.AddrFrom4([4]byte(b[atSrc:])), netip.AddrFrom4([4]byte(b[atDst:]))
	case unix.AF_INET6:
		own, other = netip.AddrFrom16([16]byte(b[atSrc6:])).Unmap(), netip.AddrFrom16([16]byte(b[atDst6:])).Unmap()
	default:
		return local, remote, false
	}
	port := binary.NativeEndian.Uint16(b[atPort:])
	if b[atFull] != 0 {
		port = binary.BigEndian.Uint16(b[atPort:])
	}
	local = netip.AddrPortFrom(own, port)
	remote = netip.AddrPortFrom(other, binary.BigEndian.Uint16(b[atDport:]))
	return local, remote, remote.Port() != 0
}

// printable keeps the ASCII of a name that its process has chosen.
func printable(name []byte) string {
	shown := bytes.Clone(name)
	for i, c := range shown {
		if c < ' ' || c > '~' {
			shown[i] = '?'
		}
	}
	return string(shown)
}
