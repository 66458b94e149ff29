package main

import (
	"slices"
	"strings"
	"testing"

	"icap/bench/internal/peer"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "7", "-disk", "/home/me/disk", "-o", "/home/me/R.md"})
	if err != nil {
		t.Fatal(err)
	}
	if o.suite.Rounds != 7 || o.peers != nil || o.partial {
		t.Errorf("full run is %+v", o)
	}
	if want := "go -C bench run . -disk DIR -o R.md -rounds 7"; o.command != want {
		t.Errorf("command is %q, want %q", o.command, want)
	}
	o, err = parse([]string{"-smoke"})
	if err != nil || !o.partial || !o.suite.Strict || !slices.Contains(o.peers, peer.Direct) {
		t.Errorf("smoke is %+v, %v", o, err)
	}
	// What needs a C compiler is not part of it.
	if slices.Contains(o.peers, "gopacket") {
		t.Error("gopacket is part of the smoke run")
	}
	o, err = parse([]string{"-quick", "-peers", "all", "-only", "start"})
	if err != nil || o.peers != nil || !o.partial || o.suite.Jobs != nil || o.suite.Starts == 0 {
		t.Errorf("start of all is %+v, %v", o, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{"extra", "-sizes 65", "-only nothing", "-no-such-flag"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("no error for %q", args)
		}
	}
}
