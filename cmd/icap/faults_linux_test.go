package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// reportEnv names the file that the table of all faults is written to.
const reportEnv = "ICAP_FAULTS"

// TestEveryFault puts icap into every fault, and, for the table, tcpdump and
// dumpcap as well. The law for icap: received by the filter is written and
// losses that are told, and nothing hangs.
func TestEveryFault(t *testing.T) {
	report := os.Getenv(reportEnv)
	var rows strings.Builder
	for _, f := range faultRows() {
		if report == "" && !f.quick {
			continue
		}
		t.Run(f.id, func(t *testing.T) {
			fmt.Fprintf(&rows, "| %s | %s |", f.id, f.what)
			for _, program := range programs {
				if report == "" && program != "icap" {
					continue
				}
				t.Run(program, func(t *testing.T) {
					s := newScene(t, program)
					defer func() { fmt.Fprintf(&rows, " %s |", s.cell()) }()
					f.run(s)
					s.judge()
				})
			}
			rows.WriteByte('\n')
		})
	}
	if report == "" {
		return
	}
	if err := os.WriteFile(report, []byte(table(rows.String())), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cell is the outcome without the names of this run.
func (s *scene) cell() string {
	text := s.outcome.String()
	if s.Skipped() {
		return "not run"
	}
	if s.Failed() && s.icap() {
		text = "**FAILED** " + text
	}
	text = regexp.MustCompile(`/tmp/TestEveryFault[^/]*/\d+/`).ReplaceAllString(text, "")
	return strings.NewReplacer(s.b.String(), "NAME", "|", "\\|").Replace(text)
}

const intro = `# Faults

` + "`make faults`" + ` (as root) puts icap, tcpdump and dumpcap into each of these faults, in
network namespaces of its own, and writes this page. The law for icap: what the
filter received is what was written and the losses that are told, tshark reads
the file without a warning, and 2 s after SIGTERM it has ended. ` + "`make test`" + `
runs, for icap, those rows that no other test covers. "Captured" and "dropped" are
what the program says, "readable" is what tshark reads. dumpcap counts only what
it has taken from the ring; what stays there when it ends is in neither count.

`

// elsewhere are the faults that this table does not show, and why.
const elsewhere = `| F12 | the clock steps back | would change the clock of the machine: time namespaces have none of their own for the time of day, which is what packets are stamped with. Packets that go back in time are written all the same and counted as late, and durations go by the monotonic clock |
| F30 | file system remounted read-only | the kernel refuses as long as a file is open for writing; the row above has a disk that dies instead |
| F34, F57 | file torn at every byte, tail of zeros | ` + "`TestCountTorn`, `TestRepair`" + ` |
| F35, F36, F52 | containers and pods that come and go, fifty at once | ` + "`make pods`, `TestFollow*`, `make soak`" + ` |
| F37 | PID reused between finding and entering | the moment cannot be met from outside; ` + "`TestPIDReused`" + ` gives the PID of a process that was found to another one, in a PID namespace |
| F39 | PID 1 cannot be looked into | any test on a machine where that is so |
| F40, F50 | kubectl's client killed; own output captured | take a cluster |
| F43, F44 | extcap: errors before the pipe is opened, Wireshark goes away | ` + "`TestExtcap*`" + ` |
| F45, F46, F47 | malformed packets, names that talk to terminals, path traversal | ` + "`make fuzz`" + `, tests of text and rotation |
| F53 | VLAN tag taken off by the card | tests of afpacket and pcapwriter |
| F55 | member of a fanout group dies | nothing outside of a process can close its socket; ` + "`TestSplitGoesOn`, `TestSplitCountsAll`" + `: its output is truncated or removed, the others go on, and all is counted |
`

// table is the page.
func table(rows string) string {
	var b strings.Builder
	b.WriteString(intro)
	fmt.Fprintf(&b, "This run: %s; %s; Linux %s.\n\n", versionOf("tcpdump"), versionOf("dumpcap"), strings.TrimPrefix(osName(), "Linux "))
	b.WriteString("| | fault | icap | tcpdump | dumpcap |\n|---|---|---|---|---|\n" + rows)
	b.WriteString("\n## Not in this table\n\n| | fault | why, or where else |\n|---|---|---|\n" + elsewhere)
	return b.String()
}

// versionOf is the first line of a program's version.
func versionOf(program string) string {
	out, _ := exec.Command(program, "--version").CombinedOutput() // only for the page
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, program) || strings.HasPrefix(line, "Dumpcap") {
			return strings.TrimSpace(line)
		}
	}
	return program
}
