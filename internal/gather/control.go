package gather

import (
	"fmt"
	"net/netip"
	"sync"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

// An ahead is what is to be written ahead of all packets that wait.
type ahead struct {
	interfaces []pcapwriter.Interface
	names      []pcapwriter.Name
	blocks     []byte // whole
}

func (a *ahead) clear() {
	clear(a.interfaces)
	clear(a.names)
	a.interfaces, a.names, a.blocks = a.interfaces[:0], a.names[:0], a.blocks[:0]
}

// A control collects it from all streams.
type control struct {
	ahead
	count uint32               // interfaces of the file, with those
	first pcapwriter.Interface // with what all must agree on
	known map[netip.Addr]bool  // addresses that have names
	taken *sync.Cond           // the merge has taken it
}

// give passes on all that there is to an ahead that is empty.
func (c *control) give(to *ahead) {
	if len(c.interfaces) > 0 || len(c.names) > 0 || len(c.blocks) > 0 {
		c.ahead, *to = *to, c.ahead
		c.taken.Broadcast()
	}
}

// takeBack takes what could not be written yet.
func (c *control) takeBack(a *ahead) {
	c.names = append(a.names, c.names...)
	c.blocks = append(a.blocks, c.blocks...)
	*a = ahead{}
}

const (
	// maxControl is how many bytes of blocks may wait, beside those of one
	// block.
	maxControl = 1 << 20
	// maxNames is how many addresses can have names.
	maxNames = 1 << 17
)

// addInterface returns the place of an interface in the file.
func (c *control) addInterface(i *pcapwriter.Interface) (uint32, error) {
	n := c.count
	switch {
	case n == 0:
		c.first = *i
	case i.LinkType != c.first.LinkType:
		return 0, fmt.Errorf("interface %q has link type %d, and those of the file have %d", i.Name, i.LinkType, c.first.LinkType)
	case i.Snaplen != c.first.Snaplen:
		return 0, fmt.Errorf("interface %q has snapshot length %d, and those of the file have %d", i.Name, i.Snaplen, c.first.Snaplen)
	}
	c.count++
	c.interfaces = append(c.interfaces, *i)
	return n, nil
}

// addNames adds those of addresses that have no name yet.
func (c *control) addNames(names []pcapwriter.Name) {
	for _, n := range names {
		if addr := n.Addr.Unmap().WithZone(""); addr.IsValid() && !c.known[addr] && len(c.known) < maxNames {
			c.known[addr] = true
			c.names = append(c.names, n)
		}
	}
}

// atOnce takes names or secrets. It waits while too many wait to be written.
func (g *Gatherer) atOnce(b *capfile.Block) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.control
	for len(c.blocks) >= maxControl && g.cut == nil {
		c.taken.Wait()
	}
	if b.Type == capfile.TypeSecrets {
		c.blocks = append(c.blocks, b.Raw...)
	} else {
		b.Names(func(a netip.Addr, name string) bool {
			c.addNames([]pcapwriter.Name{{Addr: a, Names: []string{name}}})
			return true
		})
	}
	g.signal()
}
