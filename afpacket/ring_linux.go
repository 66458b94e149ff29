package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
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
	filter []bpf.RawInstruction // what the socket runs
	conn   *packet.Conn
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
// An error for want of CAP_NET_RAW wraps fs.ErrPermission.
func Open(c Config) (*Ring, error) {
	c, err := c.withDefaults(os.Getpagesize())
	if err != nil {
		return nil, fmt.Errorf("open ring on %q: %w", c.Interface, err)
	}
	ifi, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return nil, fmt.Errorf("open ring on %q: %w", c.Interface, err)
	}
	r := &Ring{name: ifi.Name, index: ifi.Index, config: c, freed: make(chan struct{}, 1)}
	if err := r.open(ifi); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("open ring on %q: %w", c.Interface, err)
	}
	return r, nil
}

func (r *Ring) open(ifi *net.Interface) error {
	var ignoreOutgoing bool
	r.filter, ignoreOutgoing = r.directed(ifi.Flags&net.FlagLoopback != 0)
	if err := checkLength(r.filter); err != nil {
		return err
	}
	conn, err := packet.Listen(ifi, packet.Raw, 0, &packet.Config{Filter: r.filter})
	if err != nil {
		return explain(err)
	}
	r.conn = conn
	if r.raw, err = conn.SyscallConn(); err != nil {
		return err
	}
	if ignoreOutgoing {
		if err := r.ignoreOutgoing(); err != nil {
			return err
		}
	}
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

// directed returns the filter for the wanted direction, and whether the
// kernel shall leave outgoing packets out before the filter sees them.
func (r *Ring) directed(loopback bool) (filter []bpf.RawInstruction, ignoreOutgoing bool) {
	switch {
	case r.config.Direction == Out:
		return onlyOutgoing(r.config.Filter), false
	case r.config.Direction == In || loopback:
		return r.config.Filter, true
	default:
		return r.config.Filter, false
	}
}

// ignoreOutgoing asks for PACKET_IGNORE_OUTGOING, and has the filter do it on
// kernels before 4.20, and in a group, to which the kernel does not apply it.
func (r *Ring) ignoreOutgoing() error {
	if r.config.Group == nil {
		err := r.setInt(unix.PACKET_IGNORE_OUTGOING, 1)
		if !errors.Is(err, unix.ENOPROTOOPT) {
			return err
		}
	}
	r.filter = noOutgoing(r.config.Filter)
	if err := checkLength(r.filter); err != nil {
		return err
	}
	return r.conn.SetBPF(r.filter)
}

// maxFilter is BPF_MAXINSNS of linux/bpf_common.h.
const maxFilter = 4096

// checkLength refuses what the kernel would refuse with EINVAL, or, as it
// counts in 16 bits, mistake for a shorter program.
func checkLength(filter []bpf.RawInstruction) error {
	if len(filter) > maxFilter {
		return fmt.Errorf("%w: %d instructions, more than %d", ErrFilterTooLong, len(filter), maxFilter)
	}
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
		if err := r.conn.SetPromiscuous(true); err != nil {
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
		if err := r.lock(); err != nil {
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
func (r *Ring) Locked() bool { return r.config.Lock && r.config.Group == nil }

func (r *Ring) lock() error {
	return r.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1)
	})
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

// Leave closes a ring that was not stopped, and returns its counts up to that
// moment. From then on the kernel shares out among the rest of its group what
// would have come to it. What it holds is lost: received, and not delivered.
// Otherwise it is as Close.
func (r *Ring) Leave() (Stats, error) {
	err := r.unmap() // which takes time, and so comes before the count
	s, serr := r.Stats()
	return s, errors.Join(err, serr, r.Close())
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

// explain names the capability whose lack makes the kernel refuse a packet
// socket, and the limit behind its ENOMEM for a filter.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w (needs CAP_NET_RAW)", err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w (net.core.optmem_max): %w", ErrFilterTooLong, err)
	}
	return err
}

func networkOrder(v uint16) uint16 {
	b := [2]byte{byte(v >> 8), byte(v)}
	return binary.NativeEndian.Uint16(b[:])
}
