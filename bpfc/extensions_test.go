package bpfc

import (
	"errors"
	"testing"
)

// loadsFrom returns what a program loads beside packets.
func loadsFrom(p *Program) map[uint32]bool {
	offsets := make(map[uint32]bool)
	for _, ins := range p.Insns {
		if ins.Op&(classMask|modeMask) == classLoad|modeAbsolute && ins.K >= ancillaryBase {
			offsets[ins.K-ancillaryBase] = true
		}
	}
	return offsets
}

// TestExtensions checks that live programs load only what the kernel has.
func TestExtensions(t *testing.T) {
	const all, withoutTags, none = 64, ancillaryVLANTag, 1
	tests := []struct {
		expr       string
		lt         LinkType
		extensions int
		want       []uint32
		ok         bool
	}{
		{"vlan", Ethernet, 0, []uint32{ancillaryVLANPresent}, true},
		{"vlan", Ethernet, all, []uint32{ancillaryVLANPresent}, true},
		{"vlan 5", Ethernet, all, []uint32{ancillaryVLANPresent, ancillaryVLANTag}, true},
		{"vlan 5 and tcp", Ethernet, 52, []uint32{ancillaryVLANPresent, ancillaryVLANTag}, true},
		{"vlan 5", Ethernet, 48, nil, true}, // the tag, but not whether there is one
		{"vlan 5", Ethernet, withoutTags, nil, true},
		{"vlan and vlan 5 and port 80", Ethernet, withoutTags, nil, true},
		{"not vlan and tcp", Ethernet, none, nil, true},
		{"tcp port 80", Ethernet, none, nil, true},
		{"inbound", Ethernet, withoutTags, []uint32{ancillaryPacketType}, true},
		{"outbound and vlan 5", Ethernet, withoutTags, []uint32{ancillaryPacketType}, true},
		{"ifindex 3", Ethernet, withoutTags, []uint32{ancillaryIfIndex}, true},
		{"inbound", Ethernet, none, nil, false},
		{"ifindex 3", Raw, ancillaryIfIndex, nil, false},
		{"tcp", LinuxSLL2, none, []uint32{ancillaryProtocol}, true},
		{"ifindex 3", LinuxSLL2, all, []uint32{ancillaryIfIndex}, true},
		{"ifindex 3", LinuxSLL2, none, nil, false},
		{"ether[2:2] = 1", LinuxSLL, all, []uint32{ancillaryHAType}, true},
		{"ether[2:2] = 1", LinuxSLL, ancillaryHAType, nil, false},
		{"tcp", Ethernet, -1, nil, false},
	}
	for _, tt := range tests {
		o := Options{Live: true, Extensions: tt.extensions}
		p, err := CompileOptions(tt.expr, tt.lt, o)
		if (err == nil) != tt.ok {
			t.Errorf("%v %q with %d: %v", tt.lt, tt.expr, tt.extensions, err)
		}
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Kind != KindLinkType && e.Kind != KindRange {
				t.Errorf("%v %q with %d: error %v", tt.lt, tt.expr, tt.extensions, err)
			}
			continue
		}
		got := loadsFrom(p)
		if len(got) != len(tt.want) {
			t.Errorf("%v %q with %d: loads %v, want %v", tt.lt, tt.expr, tt.extensions, got, tt.want)
		}
		for _, off := range tt.want {
			if !got[off] {
				t.Errorf("%v %q with %d: loads %v, want %v", tt.lt, tt.expr, tt.extensions, got, tt.want)
			}
		}
	}
}

// TestWithoutTags checks that live programs for a kernel that does not tell
// of tags are those for files, as those of libpcap are.
func TestWithoutTags(t *testing.T) {
	for _, expr := range liveTagExprs {
		file, err := CompileOptions(expr, Ethernet, asTcpdump)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		o := asTcpdump
		o.Live, o.Extensions = true, ancillaryVLANTag
		live, err := CompileOptions(expr, Ethernet, o)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if got, want := live.Dump(), file.Dump(); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", expr, got, want)
		}
	}
}

var liveTagExprs = []string{
	"vlan", "not vlan", "vlan 5 and vlan 6", "vlan and ip", "vlan or ip", "tcp port 80 or (vlan and tcp port 80)",
	"vlan and mpls and ip", "vlan 5 and pppoes and tcp",
}
