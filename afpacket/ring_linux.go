package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A Ring is a TPACKET_V3 ring on one interface. One goroutine at a time calls
// Wait and one at a time calls Take, or one calls Next; Stop, Stats and the
// blocks' Release may be called by any. Close is called last.
type Ring struct {
	name   string
	index  int
	config Config
	filter []bpf.RawInstruction // of a ring in a group, what it runs once it is in
	conn   *os.File             // the socket
	raw    syscall.RawConn

	memory []byte
	blocks [][]byte
	held   []atomic.Bool // lent out and not yet released
	freed  chan struct{} // a block was released
	next   atomic.Uint32 // the block that the kernel retires next

	// Of the goroutine that waits.
	ready  func(fd uintptr) bool
	failed error // what woke the poller without a block
	down   bool  // the interface went down, once or more
	gone   bool

	stop        sync.Once
	stopped     atomic.Bool
	stopErr     error
	interrupted atomic.Bool

	mu        sync.Mutex // guards counted: reading resets the kernel's counts
	counted   Stats
	delivered atomic.Uint64
}

// Open makes a ring that does not receive yet: socket with protocol 0,
// filter, version, ring, mapping. The interface is looked up in the network
// namespace of the calling thread. If the kernel has no memory for a ring of
// the wanted size, a smaller one is made; Geometry tells.
//
// An error for want of CAP_NET_RAW wraps fs.ErrPermission. A Config.Socket
// is the ring's from now on, also if there is an error.
func Open(c Config) (*Ring, error) {
	r := &Ring{name: c.Interface, config: c, conn: c.Socket, freed: make(chan struct{}, 1)}
	if err := r.open(); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("open ring on %q: %w", c.Interface, err)
	}
	return r, nil
}

func (r *Ring) open() (err error) {
	if r.config, err = r.config.withDefaults(os.Getpagesize()); err != nil {
		return err
	}
	if r.conn == nil {
		if r.conn, err = listen(&r.config); err != nil {
			return err
		}
	}
	if r.raw, err = r.conn.SyscallConn(); err != nil {
		return err
	}
	at, err := bindingOf(r.conn)
	if err != nil {
		return err
	}
	r.index = at.Ifindex
	r.filter, _ = r.config.directed(at.Hatype == unix.ARPHRD_LOOPBACK)
	if err := r.setInt(unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("set TPACKET_V3: %w", err)
	}
	if r.config.Direct {
		if err := r.setInt(unix.PACKET_RESERVE, directReserve); err != nil {
			return fmt.Errorf("set PACKET_RESERVE: %w", err)
		}
	}
	if err := r.mapSmaller(); err != nil {
		return err
	}
	r.split()
	r.ready = r.poll
	return nil
}

// mapSmaller makes and maps the ring, a smaller one where memory is short.
func (r *Ring) mapSmaller() error {
	wanted, page := r.config.Ring, os.Getpagesize()
	for {
		err := r.mapRing()
		if !errors.Is(err, unix.ENOMEM) {
			return err
		}
		smaller, ok := r.config.Ring.smaller(r.config.largest(), page)
		if !ok {
			return fmt.Errorf("no memory for a ring of %s, nor for a smaller one: %w", wanted, err)
		}
		r.config.Ring = smaller
	}
}

func (r *Ring) mapRing() error {
	g := r.config.Ring
	req := unix.TpacketReq3{
		Block_size:     uint32(g.BlockSize),
		Block_nr:       uint32(g.Blocks),
		Frame_size:     uint32(g.BlockSize),
		Frame_nr:       uint32(g.Blocks),
		Retire_blk_tov: uint32(r.config.RetireTimeout / time.Millisecond),
	}
	if r.config.Direct {
		req.Sizeof_priv = DirectStart - blockHeader
	}
	if err := r.setRing(&req); err != nil {
		return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
	}
	var errno error
	if err := r.raw.Control(func(fd uintptr) {
		r.memory, errno = unix.Mmap(int(fd), 0, g.Size(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}); err != nil {
		return err
	}
	if errno != nil {
		if err := r.setRing(&unix.TpacketReq3{}); err != nil {
			return os.NewSyscallError("setsockopt PACKET_RX_RING", err)
		}
		return os.NewSyscallError("mmap", errno)
	}
	return nil
}

func (r *Ring) setRing(req *unix.TpacketReq3) error {
	return r.control(func(fd int) error {
		return unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, req)
	})
}

func (r *Ring) split() {
	g := r.config.Ring
	r.blocks = make([][]byte, g.Blocks)
	r.held = make([]atomic.Bool, g.Blocks)
	for i := range r.blocks {
		end := (i + 1) * g.BlockSize
		r.blocks[i] = r.memory[i*g.BlockSize : end : end]
	}
}

// Start puts the ring on the wire: from now on packets are received.
func (r *Ring) Start() error {
	if r.config.Promiscuous {
		if err := r.promiscuous(); err != nil {
			return fmt.Errorf("make %q promiscuous: %w", r.name, err)
		}
	}
	start := r.bind
	if r.config.Group != nil {
		start = r.startInGroup
	}
	if err := start(); err != nil {
		return fmt.Errorf("start ring on %q: %w", r.name, err)
	}
	if r.Locked() {
		if err := lock(r.conn); err != nil {
			return fmt.Errorf("lock filter of ring on %q: %w", r.name, err)
		}
	}
	return nil
}

func (r *Ring) bind() error {
	return os.NewSyscallError("bind", r.bindTo(unix.ETH_P_ALL))
}

func (r *Ring) bindTo(protocol uint16) error {
	return r.control(func(fd int) error {
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(protocol), Ifindex: r.index})
	})
}

// Locked reports whether the filter is fixed once the ring is on the wire. In a
// group it is not: a ring of a group can only be stopped by its filter.
func (r *Ring) Locked() bool { return r.config.locks() }

func (c *Config) locks() bool { return c.Lock && c.Group == nil }

// promiscuous has the interface take in what is for others, as long as the
// socket is open.
func (r *Ring) promiscuous() error {
	return r.control(func(fd int) error {
		return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(r.index), Type: unix.PACKET_MR_PROMISC})
	})
}

// setFilter makes a program that of the socket.
func (r *Ring) setFilter(filter []bpf.RawInstruction) error {
	return r.control(func(fd int) error { return attach(fd, filter) })
}

// Interface is the name that the ring was opened by.
func (r *Ring) Interface() string { return r.name }

// Geometry is the size that the ring has, which is smaller than the wanted
// one where memory was short.
func (r *Ring) Geometry() Geometry { return r.config.Ring }

// RetireTimeout is how long after its arrival a packet is delivered at the
// latest, but for the reader's own delays.
func (r *Ring) RetireTimeout() time.Duration { return r.config.RetireTimeout }

// Close unmaps the ring and closes the socket. Blocks must not be used any
// more, and Next must have returned.
func (r *Ring) Close() error {
	err := r.unmap()
	if r.conn != nil {
		err = errors.Join(err, r.conn.Close())
		r.conn = nil
	}
	return err
}

func (r *Ring) unmap() (err error) {
	if r.memory != nil {
		err = unix.Munmap(r.memory)
		r.memory, r.blocks = nil, nil
	}
	return err
}

func (r *Ring) setInt(option, value int) error {
	return r.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_PACKET, option, value)
	})
}

func (r *Ring) control(f func(fd int) error) error {
	var err error
	if cerr := r.raw.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

func networkOrder(v uint16) uint16 {
	b := [2]byte{byte(v >> 8), byte(v)}
	return binary.NativeEndian.Uint16(b[:])
}
