package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// conntrackNew is the multicast group of new entries, NFNLGRP_CONNTRACK_NEW of
// linux/netfilter/nfnetlink_compat.h, as a bit.
const conntrackNew = 1 << 0

// watchBuffer is how much may wait to be read, in bytes: some thousands of
// connections.
const watchBuffer = 8 << 20

// watch has one socket for what the kernel tells and one to ask it.
type watch struct {
	events *netlink.Conn
	diag   *querier
	closed atomic.Bool // the errors for it are several
	buffer []byte      // of poll
}

func watchConnections() (*Watch, error) {
	events, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{Groups: conntrackNew})
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("watch conntrack: %w (needs CAP_NET_ADMIN in the network namespace)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	_ = events.SetReadBuffer(watchBuffer) // what the kernel gives by itself does, too, most of the time
	diag, err := dial(unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	return &Watch{watch{events: events, diag: diag}}, nil
}

func (w *watch) next() ([]Connection, error) {
	msgs, err := w.events.Receive()
	if errors.Is(err, unix.ENOBUFS) {
		return nil, ErrMissed
	}
	if err != nil && w.closed.Load() {
		return nil, fmt.Errorf("watch conntrack: %w", os.ErrClosed)
	}
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	var all []Connection
	for _, m := range msgs {
		if all, err = appendWatched(all, m.Data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// appendWatched appends the connection of a message, if it has ports.
func appendWatched(all []Connection, data []byte) ([]Connection, error) {
	c, err := decodeConnection(data)
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	if c.Proto == ProtoTCP || c.Proto == ProtoUDP {
		all = append(all, c)
	}
	return all, nil
}

// poll reads past the goroutine that waits in next, if there is one.
func (w *watch) poll() (all []Connection, err error) {
	raw, err := w.events.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	cerr := raw.Control(func(fd uintptr) { all, err = w.drain(int(fd)) })
	return all, errors.Join(err, cerr)
}

// drain reads what is there.
func (w *watch) drain(fd int) (all []Connection, err error) {
	const longest = 64 << 10 // of a datagram of events
	if w.buffer == nil {
		w.buffer = make([]byte, longest)
	}
	for {
		n, _, err := unix.Recvfrom(fd, w.buffer, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return all, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS):
			return all, ErrMissed
		case err != nil:
			return all, fmt.Errorf("watch conntrack: %w", err)
		}
		msgs, err := syscall.ParseNetlinkMessage(w.buffer[:n])
		if err != nil {
			return all, fmt.Errorf("watch conntrack: %w", err)
		}
		for _, m := range msgs {
			if all, err = appendWatched(all, m.Data); err != nil {
				return nil, err
			}
		}
	}
}

// owner asks sock_diag(7) for one socket. The kernel looks it up as it does
// for a packet: an IPv4 one also where the socket is of IPv6.
func (w *watch) owner(local, remote netip.AddrPort) (uid uint32, inode uint64, ok bool) {
	req := make([]byte, sizeofDiagReq)
	req[0], req[1] = unix.AF_INET, ProtoTCP
	if local.Addr().Is6() {
		req[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(req[4:], ^uint32(0)) // every state
	binary.BigEndian.PutUint16(req[8:], local.Port())
	binary.BigEndian.PutUint16(req[10:], remote.Port())
	copy(req[12:28], local.Addr().AsSlice())
	copy(req[28:44], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint64(req[48:], ^uint64(0)) // no cookie
	msgs, err := w.diag.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: netlink.Request},
		Data:   req,
	})
	if err != nil || len(msgs) != 1 {
		return 0, 0, false
	}
	l, err := decodeDiag(msgs[0].Data, ProtoTCP)
	// What is about to be closed for good belongs to nobody any more, and the
	// socket that listens there is not that of the connection.
	return l.UID, l.Inode, err == nil && l.Inode != 0 && msgs[0].Data[1] != stateListen
}

func (w *watch) close() error {
	w.closed.Store(true)
	return errors.Join(w.events.Close(), w.diag.conn.Close())
}
