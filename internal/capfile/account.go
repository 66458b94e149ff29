package capfile

import "io"

// An Account is what a file says of its own completeness.
type Account struct {
	Pcap       bool // which has no statistics
	Sections   int
	Packets    uint64
	Interfaces []*InterfaceAccount // of all sections, in order
	// Whole is where the last whole block ends, in bytes.
	Whole int64
}

// An InterfaceAccount has the packets of one interface, and its statistics.
type InterfaceAccount struct {
	*Interface
	Section int // from 0
	Packets uint64
	Since   uint64 // of those, behind the last statistics
	Gaps    uint64 // packets lost, as the others tell it
	// Statistics are the last ones of the interface, nil if there are none.
	Statistics *Statistics
}

// Count reads a file to its end and adds up what is in it. The account is
// valid also with an error, up to the place that the error names.
func Count(r *Reader) (*Account, error) {
	a := &Account{Pcap: r.old != nil}
	first := 0 // interface of the section
	for {
		b, err := r.Next()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return a, err
		}
		a.Whole = r.offset
		switch b.Type {
		case TypeSection:
			a.Sections++
			first = len(a.Interfaces)
		case TypeInterface:
			last := r.interfaces[len(r.interfaces)-1]
			a.Interfaces = append(a.Interfaces, &InterfaceAccount{Interface: last, Section: a.Sections - 1})
		case TypeStatistics:
			s, ok := b.Statistics()
			if own := a.Interfaces[first:]; ok && uint64(s.Interface) < uint64(len(own)) {
				own[s.Interface].Statistics, own[s.Interface].Since = &s, 0
			}
		}
		if b.Packet != nil {
			i := a.Interfaces[first+b.Packet.Interface.Index]
			a.Packets++
			i.Packets++
			i.Since++
			i.Gaps += b.Packet.Gap(b.Order)
		}
	}
}
