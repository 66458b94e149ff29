package bpfc

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden listings anew")

// TestListings compares programs with the listings in testdata, so that a
// change of the compiler shows what it changes. Each listing follows a line
// with its expression.
func TestListings(t *testing.T) {
	const name = "testdata/listings.txt"
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for line := range strings.Lines(string(want)) {
		expr, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "# ")
		if !ok {
			continue
		}
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		fmt.Fprintf(&got, "# %s\n%s", expr, p.Dump())
	}
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("line %d: got %q, want %q (-update writes the listings anew)",
				i+1, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("got %d lines, want %d", len(gotLines), len(wantLines))
	}
}
