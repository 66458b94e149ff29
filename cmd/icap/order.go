package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"icap/afpacket"
)

// An order is what the capturing part asks its helper for, once it has given up
// its privileges. As bytes it is a header of fixed length, and for a socket its
// name, marks and filter behind it.
type order struct {
	what task
	// place is one that the helper knows: one of the beginning, or one that it
	// has found.
	place uint32
	// target is one that the helper was started with.
	target uint16
	// number is the pod among those that have the labels of the target, from 0,
	// or the inode of a socket; of that, agents asks for the proxy's agents
	// instead of the proxy.
	number uint64
	agents bool
	socket afpacket.Config // its fields that matter to a socket
}

// A task is a kind of order.
type task uint8

const (
	taskBegin       task = iota // the first one: what the helper has given up
	taskList                    // pods that have the labels of a target
	taskFind                    // what a target stands for now
	taskLinks                   // interfaces of a place
	taskStudy                   // what is in a place
	taskSocket                  // of a place, for a ring
	taskWatch                   // sockets that tell of connections in a place
	taskConnections             // of a place
	taskRules                   // a socket that tells of rules in a place
	taskOpener                  // which of the proxy's processes in a place has a socket
	taskSame                    // whether a target still leads to a place
	taskEnd                     // of the pod in a place: to be waited for
	taskForget                  // a place that is not needed any more
	tasks
)

// Sizes of an order as bytes.
const (
	orderLen  = 16
	linkLen   = 16 // IFNAMSIZ of linux/if.h
	socketLen = linkLen + 8
	markLen   = 8
	insnLen   = 8
	maxMarks  = 255
	maxOrder  = orderLen + socketLen + 2*maxMarks*markLen + maxFilter*insnLen
	maxFilter = 4096 // instructions, as in the kernel
)

// Bits of an order, and of a socket.
const orderAgents = 1

const (
	socketInGroup = 1 << iota
	socketLocks
)

// append appends the order as bytes.
func (o *order) append(b []byte) []byte {
	flags := byte(0)
	if o.agents {
		flags = orderAgents
	}
	b = append(b, byte(o.what), flags)
	b = binary.LittleEndian.AppendUint16(b, o.target)
	b = binary.LittleEndian.AppendUint32(b, o.place)
	b = binary.LittleEndian.AppendUint64(b, o.number)
	if o.what != taskSocket {
		return b
	}
	c := &o.socket
	var name [linkLen]byte
	copy(name[:], c.Interface)
	flags = 0
	if c.Group != nil {
		flags |= socketInGroup
	}
	if c.Lock {
		flags |= socketLocks
	}
	b = append(append(b, name[:]...), flags, byte(c.Direction), byte(len(c.Marks)), byte(len(c.NotMarks)))
	b = binary.LittleEndian.AppendUint32(b, uint32(c.Snaplen))
	for _, marks := range [][]afpacket.Mark{c.Marks, c.NotMarks} {
		for _, m := range marks {
			b = binary.LittleEndian.AppendUint32(b, m.Value)
			b = binary.LittleEndian.AppendUint32(b, m.Mask)
		}
	}
	for _, in := range c.Filter {
		b = binary.LittleEndian.AppendUint16(b, in.Op)
		b = append(b, in.Jt, in.Jf)
		b = binary.LittleEndian.AppendUint32(b, in.K)
	}
	return b
}

var errOrder = errors.New("not an order")

// parseOrder reads what append has made, and nothing else. Whoever sends it
// may have been taken over.
func parseOrder(b []byte) (o order, err error) {
	if len(b) < orderLen || len(b) > maxOrder || b[0] >= byte(tasks) || b[1]&^orderAgents != 0 {
		return o, errOrder
	}
	o = order{
		what: task(b[0]), target: binary.LittleEndian.Uint16(b[2:]),
		place: binary.LittleEndian.Uint32(b[4:]), number: binary.LittleEndian.Uint64(b[8:]),
		agents: b[1]&orderAgents != 0,
	}
	switch b = b[orderLen:]; {
	case o.what == taskSocket:
		o.socket, err = parseSocket(b)
	case len(b) > 0:
		err = errOrder
	}
	return o, err
}

// parseSocket reads what a socket is to be like.
func parseSocket(b []byte) (c afpacket.Config, err error) {
	if len(b) < socketLen {
		return c, errOrder
	}
	name, fixed, b := b[:linkLen], b[linkLen:socketLen], b[socketLen:]
	c.Interface = strings.TrimRight(string(name), "\x00")
	if c.Interface == "" || len(c.Interface) == linkLen || strings.ContainsAny(c.Interface, "\x00/") {
		return c, fmt.Errorf("%w: the name of an interface is not one", errOrder)
	}
	flags, direction, marks, not := fixed[0], fixed[1], int(fixed[2]), int(fixed[3])
	c.Snaplen = int(binary.LittleEndian.Uint32(fixed[4:]))
	if flags&^(socketInGroup|socketLocks) != 0 || direction > byte(afpacket.Out) || c.Snaplen > afpacket.MaxSnaplen {
		return c, errOrder
	}
	c.Direction, c.Lock = afpacket.Direction(direction), flags&socketLocks != 0
	if flags&socketInGroup != 0 {
		c.Group = new(afpacket.Group)
	}
	rest := len(b) - (marks+not)*markLen
	if rest < 0 || rest%insnLen != 0 || rest/insnLen > maxFilter {
		return c, errOrder
	}
	c.Marks, b = parseMarks(b, marks)
	c.NotMarks, b = parseMarks(b, not)
	c.Filter = slices.Grow(c.Filter, len(b)/insnLen)[:len(b)/insnLen]
	for i := range c.Filter {
		in := b[i*insnLen:]
		c.Filter[i].Op, c.Filter[i].Jt, c.Filter[i].Jf = binary.LittleEndian.Uint16(in), in[2], in[3]
		c.Filter[i].K = binary.LittleEndian.Uint32(in[4:])
	}
	return c, nil
}

func parseMarks(b []byte, n int) (marks []afpacket.Mark, rest []byte) {
	for range n {
		marks = append(marks, afpacket.Mark{Value: binary.LittleEndian.Uint32(b), Mask: binary.LittleEndian.Uint32(b[4:])})
		b = b[markLen:]
	}
	return marks, b
}
