package main

import (
	"icap/bpfc"
	"icap/internal/capfile"
	"icap/internal/netdb"
)

// A selection is the packets of files that match an expression.
type selection struct {
	expr     string
	programs map[uint16]*bpfc.Program // by link type
}

func newSelection(expr string) *selection {
	return &selection{expr: expr, programs: make(map[uint16]*bpfc.Program)}
}

// has reports whether a packet matches. The expression is compiled for each
// link type that occurs, and errors come when it does.
func (s *selection) has(p *capfile.Packet) (bool, error) {
	if s.expr == "" {
		return true, nil
	}
	lt := p.Interface.LinkType
	if s.programs[lt] == nil {
		program, err := bpfc.CompileOptions(s.expr, bpfc.LinkType(lt), bpfc.Options{
			Netmask: anyMask, Limit: bpfc.NoLimit, Resolver: &netdb.Resolver{},
		})
		if err != nil {
			return false, err
		}
		s.programs[lt] = program
	}
	return s.programs[lt].Match(p.Data, p.Len) > 0, nil
}
