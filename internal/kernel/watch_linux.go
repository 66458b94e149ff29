package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// conntrackNew is the multicast group of new entries, NFNLGRP_CONNTRACK_NEW of
// linux/netfilter/nfnetlink_compat.h, as a bit.
const conntrackNew = 1 << 0

// watchBuffer is how much may wait to be read, in bytes: some thousands of
// connections.
const watchBuffer = 8 << 20

// longestEvent is more than a datagram of events has.
const longestEvent = 64 << 10

// watch has one socket for what the kernel tells and one to ask it.
type watch struct {
	events, diag *os.File
	waited       []byte     // of next
	polled       []byte     // of poll
	asking       sync.Mutex // a question and its answer
	closed       atomic.Bool
}

func watchConnections() (*Watch, error) {
	told, err := events("conntrack", unix.NETLINK_NETFILTER, conntrackNew)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("watch conntrack: %w (needs CAP_NET_ADMIN in the network namespace)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	_ = control(told, func(fd int) error { // what the kernel gives by itself does, too, most of the time
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, watchBuffer)
	})
	diag, err := events("sock_diag", unix.NETLINK_SOCK_DIAG, 0)
	if err != nil {
		return nil, errors.Join(err, told.Close())
	}
	return watchFiles([]*os.File{told, diag})
}

func watchFiles(files []*os.File) (*Watch, error) {
	if len(files) != 2 {
		return nil, fmt.Errorf("watch conntrack: %d sockets, not 2", len(files))
	}
	return &Watch{watch{events: files[0], diag: files[1]}}, nil
}

func (w *watch) files() []*os.File { return []*os.File{w.events, w.diag} }

// control calls f with the descriptor of a file.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) { err = f(int(fd)) })
	return errors.Join(cerr, err)
}

func (w *watch) next() (all []Connection, err error) {
	if w.waited == nil {
		w.waited = make([]byte, longestEvent)
	}
	raw, err := w.events.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	n := 0
	rerr := raw.Read(func(fd uintptr) bool {
		n, err = receive(int(fd), w.waited)
		return !errors.Is(err, unix.EAGAIN)
	})
	switch {
	case w.closed.Load():
		return nil, fmt.Errorf("watch conntrack: %w", os.ErrClosed)
	case rerr != nil:
		return nil, fmt.Errorf("watch conntrack: %w", rerr)
	case errors.Is(err, unix.ENOBUFS):
		return nil, ErrMissed
	case err != nil:
		return nil, fmt.Errorf("watch conntrack: %w", err)
	}
	return appendEvents(nil, w.waited[:n])
}

// receive reads a datagram, if there is one.
func receive(fd int, buffer []byte) (n int, err error) {
	for {
		n, _, err = unix.Recvfrom(fd, buffer, unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// appendEvents appends the connections of a datagram.
func appendEvents(all []Connection, datagram []byte) ([]Connection, error) {
	msgs, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return all, fmt.Errorf("watch conntrack: %w", err)
	}
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
	if w.polled == nil {
		w.polled = make([]byte, longestEvent)
	}
	err = control(w.events, func(fd int) error {
		for {
			n, err := receive(fd, w.polled)
			switch {
			case errors.Is(err, unix.EAGAIN):
				return nil
			case errors.Is(err, unix.ENOBUFS):
				return ErrMissed
			case err != nil:
				return fmt.Errorf("watch conntrack: %w", err)
			}
			if all, err = appendEvents(all, w.polled[:n]); err != nil {
				return err
			}
		}
	})
	return all, err
}

// owner asks sock_diag(7) for one socket. The kernel looks it up as it does
// for a packet: an IPv4 one also where the socket is of IPv6.
func (w *watch) owner(local, remote netip.AddrPort) (uid uint32, inode uint64, ok bool) {
	req := make([]byte, unix.NLMSG_HDRLEN+sizeofDiagReq)
	binary.NativeEndian.PutUint32(req, uint32(len(req)))
	binary.NativeEndian.PutUint16(req[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST)
	ask := req[unix.NLMSG_HDRLEN:]
	ask[0], ask[1] = unix.AF_INET, ProtoTCP
	if local.Addr().Is6() {
		ask[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(ask[4:], ^uint32(0)) // every state
	binary.BigEndian.PutUint16(ask[8:], local.Port())
	binary.BigEndian.PutUint16(ask[10:], remote.Port())
	copy(ask[12:28], local.Addr().AsSlice())
	copy(ask[28:44], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint64(ask[48:], ^uint64(0)) // no cookie
	answer, err := w.ask(req)
	if err != nil || len(answer) < 2 {
		return 0, 0, false
	}
	l, err := decodeDiag(answer, ProtoTCP)
	// What is about to be closed for good belongs to nobody any more, and the
	// socket that listens there is not that of the connection.
	return l.UID, l.Inode, err == nil && l.Inode != 0 && answer[1] != stateListen
}

// ask sends a question, and returns what the one message of the answer has. The
// kernel answers before the call returns that asks.
func (w *watch) ask(request []byte) (answer []byte, err error) {
	const longest = 4 << 10 // of what is told about one socket
	w.asking.Lock()
	defer w.asking.Unlock()
	err = control(w.diag, func(fd int) error {
		if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return err
		}
		buffer := make([]byte, longest)
		n, err := receive(fd, buffer)
		if err != nil {
			return err
		}
		msgs, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil || len(msgs) != 1 || msgs[0].Header.Type != unix.SOCK_DIAG_BY_FAMILY {
			return errors.Join(err, unix.ENOENT)
		}
		answer = msgs[0].Data
		return nil
	})
	return answer, err
}

func (w *watch) close() error {
	w.closed.Store(true)
	return errors.Join(w.events.Close(), w.diag.Close())
}
