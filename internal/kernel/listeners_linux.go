package kernel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Constants of linux/inet_diag.h and linux/sock_diag.h that x/sys lacks.
const (
	sizeofDiagReq = 56 // struct inet_diag_req_v2
	sizeofDiagMsg = 72 // struct inet_diag_msg
	diagSKV6Only  = 11 // INET_DIAG_SKV6ONLY
)

// States of a socket, from the kernel's net/tcp_states.h. A UDP socket without
// a peer is in the state that TCP calls closed.
const (
	stateClose  = 7
	stateListen = 10
)

// A socketTable is one of the four lists that Listeners puts together.
type socketTable struct {
	family, proto, state uint8
	file                 string // its name in proc_pid_net(5)
}

func socketTables() []socketTable {
	return []socketTable{
		{unix.AF_INET, ProtoTCP, stateListen, "tcp"},
		{unix.AF_INET6, ProtoTCP, stateListen, "tcp6"},
		{unix.AF_INET, ProtoUDP, stateClose, "udp"},
		{unix.AF_INET6, ProtoUDP, stateClose, "udp6"},
	}
}

func listeners() ([]Listener, error) {
	var all []Listener
	q, dialErr := dial(unix.NETLINK_SOCK_DIAG)
	if dialErr == nil {
		defer q.close()
	}
	for _, t := range socketTables() {
		found, err := []Listener(nil), dialErr
		if err == nil {
			found, err = diagListeners(q, t)
		}
		// A kernel may lack the module for one of the tables, and a sandbox
		// may refuse the netlink family as a whole.
		if err != nil {
			var procErr error
			found, procErr = procListeners(t)
			if procErr != nil && !errors.Is(procErr, fs.ErrNotExist) {
				return nil, fmt.Errorf("list %s listeners: %w", t.file, errors.Join(err, procErr))
			}
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Proto, b.Proto), a.Addr.Compare(b.Addr), cmp.Compare(a.Inode, b.Inode))
	})
	return all, nil
}

// diagListeners asks sock_diag(7) for one table. The kernel picks the sockets
// of the wanted state, so established connections cost nothing.
func diagListeners(q *querier, t socketTable) ([]Listener, error) {
	req := make([]byte, sizeofDiagReq)
	req[0], req[1] = t.family, t.proto
	binary.NativeEndian.PutUint32(req[4:], 1<<t.state)
	msgs, err := q.dump(unix.SOCK_DIAG_BY_FAMILY, req)
	if err != nil {
		return nil, err
	}
	all := make([]Listener, 0, len(msgs))
	for _, m := range msgs {
		l, err := decodeDiag(m.Data, t.proto)
		if err != nil {
			return nil, err
		}
		if l.Addr.Port() != 0 {
			all = append(all, l)
		}
	}
	return all, nil
}

// decodeDiag reads a struct inet_diag_msg and its attributes, see sock_diag(7).
func decodeDiag(b []byte, proto uint8) (Listener, error) {
	if len(b) < sizeofDiagMsg {
		return Listener{}, fmt.Errorf("socket message of %d bytes is too short", len(b))
	}
	var addr netip.Addr
	switch b[0] {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(b[8:]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(b[8:]))
	default:
		return Listener{}, fmt.Errorf("socket message of unknown family %d", b[0])
	}
	l := Listener{
		Proto: proto,
		Addr:  netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(b[4:])),
		UID:   binary.NativeEndian.Uint32(b[64:]),
		Inode: uint64(binary.NativeEndian.Uint32(b[68:])),
	}
	ad, err := netlink.NewAttributeDecoder(b[sizeofDiagMsg:])
	if err != nil {
		return Listener{}, fmt.Errorf("socket %d: %w", l.Inode, err)
	}
	for ad.Next() {
		if ad.Type() == diagSKV6Only {
			l.DualStack = ad.Uint8() == 0 && addr.IsUnspecified()
		}
	}
	if err := ad.Err(); err != nil {
		return Listener{}, fmt.Errorf("socket %d: %w", l.Inode, err)
	}
	return l, nil
}
