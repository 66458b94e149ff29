package bpfc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// refusals reads the expressions of testdata/refusals.txt. Each has two lines:
// the expression itself, and marks below the bytes at fault with what is
// said about them.
func refusals(t *testing.T) (exprs []string, text string) {
	t.Helper()
	b, err := os.ReadFile("testdata/refusals.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i := 0; i < len(lines); i += 2 {
		exprs = append(exprs, lines[i])
	}
	return exprs, string(b)
}

// TestRefusalsInFull compares places and messages with those in testdata.
func TestRefusalsInFull(t *testing.T) {
	exprs, want := refusals(t)
	var got bytes.Buffer
	for _, expr := range exprs {
		_, err := CompileOptions(expr, Ethernet, Options{StrictCIDR: true})
		var e *Error
		if !errors.As(err, &e) || e.Kind == KindNeverMatches {
			t.Errorf("%q: got %v, want a refusal", expr, err)
			continue
		}
		fmt.Fprintf(&got, "%s %s", e.Caret(), e.Msg)
		if e.Hint != "" {
			fmt.Fprintf(&got, ": %s", e.Hint)
		}
		got.WriteByte('\n')
	}
	if *update {
		if err := os.WriteFile("testdata/refusals.txt", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Errorf("line %d: got\n%s\nwant\n%s", i+1, gotLines[i], wantLines[i])
		}
	}
}

// TestRefusalsOfTcpdump checks that tcpdump refuses the same expressions.
func TestRefusalsOfTcpdump(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need(t, "tcpdump")
	}
	exprs, _ := refusals(t)
	for _, j := range judge(Ethernet, sample(exprs, 4), patience()) {
		if j.err == nil || j.err == errRejectsAll {
			t.Errorf("%q: tcpdump compiles it", j.expr)
		}
	}
}
