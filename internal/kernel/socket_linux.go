package kernel

import (
	"encoding/binary"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

func openSockets() (*Sockets, error) {
	q, err := dial(unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	return &Sockets{q}, nil
}

func (s *Sockets) close() { s.q.close() }

// find asks sock_diag(7) for one socket, by struct inet_diag_req_v2.
func (s *Sockets) find(local, remote netip.AddrPort) (Socket, bool) {
	const noCookie = 0xffffffff
	req := make([]byte, sizeofDiagReq)
	req[0], req[1] = unix.AF_INET, ProtoTCP
	if local.Addr().Is6() {
		req[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(req[4:], 1<<32-1) // in any state
	binary.BigEndian.PutUint16(req[8:], local.Port())
	binary.BigEndian.PutUint16(req[10:], remote.Port())
	copy(req[12:28], local.Addr().AsSlice())
	copy(req[28:44], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint32(req[48:], noCookie)
	binary.NativeEndian.PutUint32(req[52:], noCookie)
	msgs, err := s.q.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: netlink.Request},
		Data:   req,
	})
	if err != nil || len(msgs) == 0 || len(msgs[0].Data) < sizeofDiagMsg {
		return Socket{}, false
	}
	b := msgs[0].Data
	found := Socket{
		Inode:     uint64(binary.NativeEndian.Uint32(b[68:])),
		UID:       binary.NativeEndian.Uint32(b[64:]),
		Listening: b[1] == stateListen,
	}
	return found, found.Inode != 0
}
