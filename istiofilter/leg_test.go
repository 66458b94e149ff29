package istiofilter_test

import (
	"strings"
	"testing"

	"icap/istiofilter"
)

func TestLegNames(t *testing.T) {
	seen := make(map[string]bool)
	n := 0
	for leg := range istiofilter.AllLegs.All() {
		n++
		name := leg.String()
		if seen[name] || seen[leg.Meaning()] || leg.Meaning() == "" {
			t.Errorf("%v: name or meaning %q is not its own", leg, leg.Meaning())
		}
		seen[name], seen[leg.Meaning()] = true, true
		got, err := istiofilter.ParseLegs(name)
		if err != nil || got != istiofilter.Set(leg) {
			t.Errorf("ParseLegs(%q) = %v, %v", name, got, err)
		}
	}
	if n != 13 || istiofilter.Set(istiofilter.Direct) != 1<<(n-1) {
		t.Errorf("%d legs, and Direct is %d", n, istiofilter.Direct)
	}
	if none := istiofilter.Leg(n); none.String() != "leg(13)" || none.Meaning() != "" {
		t.Errorf("no leg is %v, %q", none, none.Meaning())
	}
}

func TestLegsRoundTrip(t *testing.T) {
	for s := istiofilter.Legs(1); s <= istiofilter.AllLegs; s++ {
		got, err := istiofilter.ParseLegs(strings.ReplaceAll(s.String(), ",", " , "))
		if err != nil || got != s {
			t.Fatalf("ParseLegs(%q) = %v, %v", s, got, err)
		}
		n := 0
		for leg := range s.All() {
			n++
			if !s.Has(leg) {
				t.Fatalf("%v yields %v", s, leg)
			}
		}
		if want := 1 + strings.Count(s.String(), ","); n != want {
			t.Fatalf("%v yields %d legs", s, n)
		}
	}
	for range istiofilter.AllLegs.All() {
		break
	}
}

func TestParseLegsUnknown(t *testing.T) {
	for _, text := range []string{"", "inbound", "self,", "Self", "self self"} {
		_, err := istiofilter.ParseLegs(text)
		if err == nil || !strings.Contains(err.Error(), "outbound-app") {
			t.Errorf("ParseLegs(%q): %v", text, err)
		}
	}
}

func TestProxySources(t *testing.T) {
	got := istiofilter.ProxySources()
	if len(got) != 2 || got[0].String() != "127.0.0.6" || got[1].String() != "::6" {
		t.Error(got)
	}
}
