package sight

import (
	"net/netip"

	"icap/bpfc"
	"icap/internal/capfile"
	"icap/internal/netdb"
)

// A Selection is the packets of files that match an expression. It is for one
// goroutine.
type Selection struct {
	Expr     string
	programs map[uint16]*bpfc.Program // by link type
}

// NewSelection selects by an expression of pcap-filter(7); "" is all packets.
func NewSelection(expr string) *Selection {
	return &Selection{Expr: expr, programs: make(map[uint16]*bpfc.Program)}
}

// Has reports whether a packet matches. The expression is compiled for each
// link type that occurs, and a *bpfc.Error comes when it does.
func (s *Selection) Has(p *capfile.Packet) (bool, error) {
	if s.Expr == "" {
		return true, nil
	}
	lt := p.Interface.LinkType
	if s.programs[lt] == nil {
		program, err := bpfc.CompileOptions(s.Expr, bpfc.LinkType(lt), bpfc.Options{
			Netmask: anyMask(), Limit: bpfc.NoLimit, Resolver: &netdb.Resolver{},
		})
		if err != nil {
			return false, err
		}
		s.programs[lt] = program
	}
	return s.programs[lt].Match(p.Data, p.Len) > 0, nil
}

// anyMask stands for the netmask of an interface, which a file does not tell.
func anyMask() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 0}) }
