package istiofilter_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"icap/bpfc"
	"icap/istiofilter"
)

var update = flag.Bool("update", false, "write the golden filters anew")

// selections are sets of legs that a person would ask for.
func selections() []istiofilter.Legs {
	var all []istiofilter.Legs
	for leg := range istiofilter.AllLegs.All() {
		all = append(all, istiofilter.Set(leg))
	}
	return append(all, istiofilter.InboundLegs, istiofilter.OutboundLegs,
		istiofilter.AppLegs, istiofilter.WireLegs, istiofilter.AllLegs,
		istiofilter.AllLegs&^istiofilter.Set(istiofilter.Direct),
		istiofilter.Set(istiofilter.InboundApp, istiofilter.OutboundApp))
}

// TestFilters compares the filters of pods of all kinds with testdata, and
// compiles them, alone and together with a user's.
func TestFilters(t *testing.T) {
	const name = "testdata/filters.txt"
	const user = "tcp port 8080 or host 10.0.0.1 and not port 22"
	var got bytes.Buffer
	for _, pod := range pods() {
		fmt.Fprintf(&got, "# %s\n", pod.name)
		for _, want := range selections() {
			for _, f := range pod.Filters(want) {
				how := "covers"
				if f.Exact {
					how = "is"
				}
				fmt.Fprintf(&got, "%s %s %s: %s\n", f.Interface.Name, how, f.Legs, f.Expr)
				compile(t, f.Expr)
				if f.Expr != "" {
					compile(t, "("+f.Expr+") and ("+user+")")
				}
			}
		}
	}
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(file), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(want) || line != want[i] {
			t.Fatalf("line %d: got %q (-update writes the filters anew)", i+1, line)
		}
	}
	if got.Len() != len(file) {
		t.Errorf("got %d bytes, want %d", got.Len(), len(file))
	}
}

func compile(t testing.TB, expr string) *bpfc.Program {
	t.Helper()
	p, err := bpfc.CompileOptions(expr, bpfc.Ethernet, bpfc.Options{Live: true})
	if err != nil {
		t.Fatalf("compile %q: %v", expr, err)
	}
	return p
}

// TestFilterLegs checks what does not depend on the text.
func TestFilterLegs(t *testing.T) {
	for _, pod := range pods() {
		for _, want := range selections() {
			var covered istiofilter.Legs
			for _, f := range pod.Filters(want) {
				covered |= f.Legs
				if f.Legs == 0 || f.Legs != want&pod.LegsOf(f.Interface) {
					t.Errorf("%s, %v: filter of %s is for %v", pod.name, want, f.Interface.Name, f.Legs)
				}
			}
			var there istiofilter.Legs
			for _, i := range pod.Interfaces {
				there |= pod.LegsOf(i)
			}
			if covered != want&there {
				t.Errorf("%s, %v: filters are for %v", pod.name, want, covered)
			}
		}
	}
}
