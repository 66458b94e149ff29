package sight

import (
	"testing"

	"icap/istiofilter"
)

func TestPlaces(t *testing.T) {
	for _, test := range []struct{ place, leg, pod, wire, name string }{
		{"eth0:outbound-wire@web.shop", "outbound-wire", "web.shop", "eth0@web.shop", "outbound-wire"},
		{"lo:self", "self", "", "lo@", "self"},
		{"eth0", "", "", "eth0@", "eth0"},
		{"eth0:\x1b[2J@web", "\x1b[2J", "web", "eth0@web", `\x1b[2J`},
		{"", "", "", "@", "-"},
	} {
		p := test.place
		if Leg(p) != test.leg || Pod(p) != test.pod || Wire(p) != test.wire || Name(p) != test.name {
			t.Errorf("%q: leg %q, pod %q, wire %q, shown as %q", p, Leg(p), Pod(p), Wire(p), Name(p))
		}
	}
	if w := Where("eth0:hbone@web"); !w.Known || w.Leg != istiofilter.HBONE {
		t.Errorf("%+v", w)
	}
	if w := Where("eth0:elsewhere@web"); w.Known {
		t.Errorf("%+v", w)
	}
}
