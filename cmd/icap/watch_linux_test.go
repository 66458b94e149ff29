package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/report"
)

// TestEventsAndFlows reads who reset what in a lab, from the file and live.
func TestEventsAndFlows(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	dir := t.TempDir()
	file := dir + "/events.pcapng"
	target := "netns:" + l.App.Netns
	p := start(t, nil, "eth0@", icap(t, "pod", target, "-w", file))
	events := icap(t, "events", target, "--only", "rst", "-o", "json")
	var live strings.Builder
	events.Stdout = &live
	watching := start(t, nil, "eth0@", events)
	askAll(t, l)
	if x, err := l.Reset(t.Context()); err != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	if x, err := l.Refused(t.Context()); err != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	awaitQuiet(t, dir)
	for _, p := range []*proc{p, watching} {
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
	}
	fromFile := output(t, "icap", "events", "-r", file, "--only", "rst", "-o", "json")
	for name, text := range map[string]string{"file": fromFile, "live": live.String()} {
		var aborted, refused bool
		for line := range strings.Lines(text) {
			var e report.EventRecord
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
			if e.Leg != "inbound-app" {
				if !e.Harmless {
					t.Errorf("%s: on %s: %+v", name, e.Leg, e)
				}
				continue
			}
			impact := strings.Contains(e.Impact, "to the peer on ")
			switch {
			case e.Who == "app" && e.Sure == "certain" && strings.Contains(e.Why, "aborted") && impact:
				aborted = true
			case e.Who == "pod's kernel" && strings.Contains(e.Why, "port 9,") && impact:
				refused = true
			default:
				t.Errorf("%s: %+v", name, e)
			}
		}
		if !aborted || !refused {
			t.Errorf("%s: aborted %v, refused %v in\n%s", name, aborted, refused, text)
		}
	}

	rows, err := csv.NewReader(strings.NewReader(output(t, "icap", "flows", "-r", file, "-o", "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]bool)
	for _, row := range rows[1:] {
		said[row[1]+" "+row[13]+" "+row[14]+" "+row[15]] = true
	}
	for _, want := range []string{
		"inbound-wire closed Istio mTLS false", "inbound-wire closed HTTP/1 plaintext true",
		"inbound-app closed HTTP/1 plaintext false", "outbound-app closed HTTP/1 plaintext false",
		"outbound-wire closed Istio mTLS false", "outbound-wire closed HTTP/1 plaintext true",
		"inbound-app reset by server HTTP/1 plaintext false", "inbound-app refused  false",
	} {
		if !said[want] {
			t.Errorf("no connection is %q among %v", want, said)
		}
	}
}
