package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCounts(t *testing.T) {
	words := "tcpdump: listening on cap0\n1 packet captured\n12 packets received by filter\n11 packets dropped by kernel\n"
	captured, dropped, err := counts(words)
	if err != nil || captured != 1 || dropped != 11 {
		t.Errorf("got %d, %d, %v", captured, dropped, err)
	}
	if _, _, err := counts("1 packet captured\n"); err == nil {
		t.Error("no error for words without drops")
	}
}

func TestReportShowsWhatIsMissingAndWrong(t *testing.T) {
	l := load{Size: 64, Rate: 1000, Count: 10}
	good := result{Sent: 10, Packets: 10, CPU: 1000, Rate: 1000, FileSize: 960}
	bad := good
	bad.Packets, bad.Lost, bad.Fault = 5, 5, errors.New("half of it is gone")
	s := suite{rounds: 1, loads: []load{l}}
	all := []series{{load: l, results: map[string][]result{base: {good}, "icap": {bad}}}}
	r := report{
		peers:   []peer{{name: base}, {name: "icap"}},
		missing: []string{"other: not found"},
		series:  all,
		faults:  s.faults(all),
	}
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"NOT MEASURED: other: not found",
		"FAULT: icap at 64 B, 1 kpps, 10 packets, round 1: half of it is gone",
		"2.00 (2.00-2.00)",
		"50.00",
		"96.0",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestStrictSuiteTakesLossForAFault(t *testing.T) {
	all := []series{{results: map[string][]result{"icap": {{Lost: 1, Dropped: 1}}}}}
	loose, strict := suite{}, suite{strict: true}
	if n := len(loose.faults(all)); n != 0 {
		t.Errorf("loose suite has %d faults", n)
	}
	if n := len(strict.faults(all)); n != 1 {
		t.Errorf("strict suite has %d faults", n)
	}
}

func TestChoosePeers(t *testing.T) {
	all := []peer{{name: "a", program: "/bin/sh"}, {name: "b", program: "no-such-program"}, {name: "c", program: "sh"}}
	found, missing, err := choosePeers(all, nil)
	if err != nil || len(found) != 2 || len(missing) != 1 || !strings.HasPrefix(missing[0], "b: ") {
		t.Errorf("got %v, %q, %v", found, missing, err)
	}
	found, missing, err = choosePeers(all, []string{"c"})
	if err != nil || len(found) != 1 || found[0].name != "c" || missing != nil {
		t.Errorf("got %v, %q, %v", found, missing, err)
	}
	if _, _, err = choosePeers(all, []string{"d"}); err == nil {
		t.Error("no error for a peer that does not exist")
	}
}

func TestLoadDuration(t *testing.T) {
	if got := (load{Rate: 200_000, Count: 100_000}).duration(); got != 500*time.Millisecond {
		t.Errorf("got %s", got)
	}
}
