package bpfc

import "strings"

// wrapped returns a filter with encapsulations in places where they matter:
// before, behind and between other terms.
func (s realist) wrapped(lt LinkType) string {
	a, b := s.expression(1), s.expression(1)
	if s.IntN(2) == 0 {
		a = s.primitive()
	}
	if s.IntN(2) == 0 {
		b = s.primitive()
	}
	forms := []string{
		"W and (A)", "W and (A)", "W or A", "A or W", "A and W", "A or W and (B)", "A or (W and (B))",
		"not W and (A)", "(W and (A)) or (W and (B))", "W and (A) or B", "(A) and W and (B)", "W", "not W", "W or W",
		"(A) or (W and (B)) or arp", "W and W and (A)", "W and not (A)", "not (W and (A))", "A and not W",
	}
	f := forms[s.IntN(len(forms))]
	for strings.Contains(f, "W") {
		f = strings.Replace(f, "W", s.wrapper(lt), 1)
	}
	return strings.NewReplacer("A", a, "B", b).Replace(f)
}

// wrapper returns words that move the headers.
func (s realist) wrapper(lt LinkType) string {
	if lt != Ethernet {
		return s.pick("geneve", "geneve 5")
	}
	return s.pick("vlan", "vlan", "vlan 5", "vlan and vlan", "vlan 100 and vlan 5", "mpls", "mpls 16", "mpls and mpls",
		"pppoes", "pppoes 7", "pppoed", "vlan and pppoes", "vlan and mpls", "geneve", "geneve 5", "geneve and vlan")
}
