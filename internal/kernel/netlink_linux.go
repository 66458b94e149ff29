package kernel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mdlayher/netlink"
)

// dumpTries bounds how often a dump is asked for again because something
// changed meanwhile. A busy node changes an interface now and then, hardly
// three times within the milliseconds of a dump.
const dumpTries = 3

var errInterrupted = errors.New("changed during every attempt to read it")

// A querier asks one netlink family. Its socket belongs to the namespace of
// the thread that dialled it.
type querier struct{ conn *netlink.Conn }

func dial(family int) (*querier, error) {
	c, err := netlink.Dial(family, nil)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return &querier{c}, nil
}

func (q *querier) close() { q.conn.Close() }

// dump returns all replies to a dump request. From netlink(7): a dump that
// was interrupted by a change "may be inconsistent" (NLM_F_DUMP_INTR), so it
// is asked for again.
func (q *querier) dump(typ uint16, data []byte) ([]netlink.Message, error) {
	for range dumpTries {
		msgs, err := q.conn.Execute(netlink.Message{
			Header: netlink.Header{
				Type:  netlink.HeaderType(typ),
				Flags: netlink.Request | netlink.Dump,
			},
			Data: data,
		})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(msgs, interrupted) {
			return msgs, nil
		}
	}
	return nil, errInterrupted
}

func interrupted(m netlink.Message) bool {
	return m.Header.Flags&netlink.DumpInterrupted != 0
}
