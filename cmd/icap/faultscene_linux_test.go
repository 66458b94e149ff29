package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab/labtest"
)

// programs are those that go through the same faults.
var programs = []string{"icap", "tcpdump", "dumpcap"}

// A scene is one program in one fault.
type scene struct {
	*testing.T
	wire
	program string
	dir     string
	iface   string
	expr    string
	file    string   // where it writes, for tshark to read
	series  bool     // there may be more files, with longer names
	before  []string // words in front of the program's
	outcome outcome
	proc    *proc
	wants   wants
}

// wants is what icap has to do beyond the law.
type wants struct {
	code     int
	said     string // on stderr
	refuses  bool   // ends before it captures
	all      bool   // nothing may be dropped or not written
	torn     bool   // a reader may find the end torn: it was killed, or wrote to a pipe
	survives bool   // it does not end by itself
}

// An outcome is what a program did.
type outcome struct {
	ended    string // exit code or signal
	code     int
	hung     bool
	sent     int
	counted  bool // the counters were told
	captured int
	received int
	dropped  int
	missing  int // of those received: told to be not written
	readable int // packets, -1 if there is no file
	warned   bool
	words    string
	note     string
}

func newScene(t *testing.T, program string) *scene {
	s := &scene{T: t, wire: newWire(t), program: program, dir: t.TempDir(), iface: "vb", expr: "udp"}
	s.file = filepath.Join(s.dir, "out.pcapng")
	s.outcome.readable = -1
	return s
}

func (s *scene) icap() bool { return s.program == "icap" }

// command is the program, writing to a file or to "-".
func (s *scene) command(out string, args ...string) *exec.Cmd {
	s.Helper()
	var words []string
	switch s.program {
	case "icap":
		words = append(icap(s.T).Args, "--netns", s.b.String(), "-i", s.iface, "-w", out)
		words[0], _ = exec.LookPath("icap")
		words = append(append(words, args...), s.expr)
	case "tcpdump":
		words = append(append([]string{"tcpdump", "-n", "-Z", "root", "-i", s.iface, "-w", out}, args...), s.expr)
	default:
		words = append([]string{"dumpcap", "-q", "-i", s.iface, "-w", out, "-f", s.expr}, args...)
	}
	words = append(slices.Clone(s.before), words...)
	if _, err := exec.LookPath(words[0]); err != nil {
		labtest.Skip(s.T, "needs "+words[0])
	}
	return exec.Command(words[0], words[1:]...)
}

// limited runs the program under limits of the shell.
func (s *scene) limited(script string) {
	s.before = []string{"sh", "-c", script + `; exec "$0" "$@"`}
}

// begin starts the program and waits until it captures.
func (s *scene) begin(args ...string) {
	s.Helper()
	s.start(s.command(s.file, args...), s.marker())
}

func (s *scene) marker() string {
	return map[string]string{"icap": listening, "tcpdump": "listening on", "dumpcap": "File: "}[s.program]
}

func (s *scene) start(cmd *exec.Cmd, marker string) {
	s.Helper()
	ns := s.b
	if s.icap() {
		ns = nil
	}
	s.proc = start(s.T, ns, marker, cmd)
	if !s.icap() {
		time.Sleep(100 * time.Millisecond) // they say so a little early
	}
}

// refused runs a program that should end by itself at once.
func (s *scene) refused(cmd *exec.Cmd) {
	s.Helper()
	s.wants.refuses = true
	s.launch(cmd)
	s.finish(0)
}

// launch starts a program without waiting for what it says.
func (s *scene) launch(cmd *exec.Cmd) {
	s.Helper()
	const never = "\x00"
	s.proc = &proc{Cmd: cmd, t: s.T, ready: make(chan struct{}), marker: never}
	cmd.Stderr = s.proc
	if err := s.b.Do(cmd.Start); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = cmd.Process.Kill() })
}

// packets sends some.
func (s *scene) packets(n, size int) {
	s.Helper()
	s.wire.send(s.T, n, size)
	s.outcome.sent += n
}

// paced sends at a rate, in packets a second.
func (s *scene) paced(n, size, rate int) {
	s.Helper()
	const each = 10 * time.Millisecond
	tick := time.NewTicker(each)
	defer tick.Stop()
	for left := n; left > 0; left -= rate / 100 {
		s.packets(min(left, rate/100), size)
		<-tick.C
	}
}

// settle lets programs that lose what is in their ring empty it.
func (s *scene) settle() {
	if !s.icap() {
		time.Sleep(1200 * time.Millisecond)
	}
}

// finish sends a signal, if it is not 0, waits for the end of the program, and
// takes down what it did.
func (s *scene) finish(sig syscall.Signal) {
	s.Helper()
	o := &s.outcome
	patience := 2 * time.Second
	if sig == 0 {
		patience = 3 * time.Second
	}
	if sig != 0 {
		_ = s.proc.Process.Signal(sig)
	}
	done := make(chan struct{})
	go func() { _ = s.proc.Wait(); close(done) }() // the state tells
	select {
	case <-done:
	case <-time.After(patience):
		if sig == 0 {
			o.note = joined(o.note, "goes on until SIGTERM")
			s.wants.survives = !s.wants.survives
			_ = s.proc.Process.Signal(syscall.SIGTERM)
			select {
			case <-done:
			case <-time.After(2 * time.Second):
			}
		}
		if s.proc.ProcessState == nil {
			o.hung = true
			_ = s.proc.Process.Kill()
			<-done
		}
	}
	state := s.proc.ProcessState
	o.code = state.ExitCode()
	if o.ended = fmt.Sprintf("exit %d", o.code); o.code < 0 {
		o.ended = strings.TrimPrefix(state.String(), "signal: ")
	}
	s.count(s.proc.text())
	s.read()
}

var (
	dumpcapCounts = regexp.MustCompile(`received/dropped on interface '[^']*': (\d+)/(\d+)`)
	missingCounts = regexp.MustCompile(`(\d+) not written`)
)

// count reads the counters that a program tells.
func (s *scene) count(text string) {
	o := &s.outcome
	switch s.program {
	case "dumpcap":
		if m := dumpcapCounts.FindStringSubmatch(text); m != nil {
			o.counted = true
			taken, _ := strconv.Atoi(m[1])
			o.dropped, _ = strconv.Atoi(m[2])
			o.captured, o.received = taken, taken+o.dropped
		}
	default:
		o.counted = strings.Contains(text, " received by filter")
		o.captured = ownLine(text, "captured")
		o.received = ownLine(text, "received by filter")
		o.dropped = ownLine(text, "dropped by kernel")
		for _, m := range missingCounts.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(m[1])
			o.missing += n
		}
	}
	o.words = complaint(text)
}

// ownLine is the number of packets that a line of its own tells. SIGUSR1 has
// others told before.
func ownLine(text, what string) (n int) {
	if m := regexp.MustCompile(`(?m)^(\d+) packets? ` + what + `\s*$`).FindStringSubmatch(text); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return n
}

// complaint is the line that says what went wrong.
func complaint(text string) string {
	for _, word := range []string{"terminal", "another capture", "prot", "no space", "No space", "not enough", "broken pipe", "Broken pipe", "gone", "down", "disappeared", "removed", "truncated",
		"too large", "too many", "Too many", "no longer", "no interface", "No such", "no such", "syntax", "filter", "CAP_", "permission", "not permitted",
		"input/output", "Input/output", "Permission", "exists", "symbolic", "memory", "buffer", "closed", "descriptor", "link", "file could not"} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, word) && !strings.Contains(line, "listening on") && !strings.Contains(line, "received by filter") &&
				!strings.Contains(line, "dropped by kernel") && !strings.Contains(line, "  filter:") && !strings.Contains(line, "icap: sandbox:") &&
				!strings.Contains(line, "icap: helper for") && !strings.Contains(line, "Running as") {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// read lets tshark read the files.
func (s *scene) read() {
	o := &s.outcome
	paths := []string{s.file}
	if s.series {
		paths, _ = filepath.Glob(filepath.Join(s.dir, "out*"))
	}
	o.readable = -1
	largest := 0
	for _, path := range paths {
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			sizes, warned := frames(path)
			o.readable = max(o.readable, 0) + len(sizes)
			o.warned = o.warned || warned
			largest = max(largest, slices.Max(append(sizes, 0)))
		}
	}
	if o.warned && o.readable == 0 {
		o.note = joined(o.note, "no reader takes the file")
	}
	if largest > 9000 {
		o.note = joined(o.note, fmt.Sprintf("largest frame %d", largest))
	}
}

// frames are the lengths of the packets that tshark reads, and whether it
// complains.
func frames(path string) (sizes []int, warned bool) {
	var out, errs bytes.Buffer
	cmd := exec.Command("tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.len")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	for line := range strings.Lines(out.String()) {
		n, _ := strconv.Atoi(strings.TrimSpace(line))
		sizes = append(sizes, n)
	}
	said := regexp.MustCompile(`(?m)^Running as user.*$`).ReplaceAllString(errs.String(), "")
	return sizes, err != nil || strings.TrimSpace(said) != ""
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// String is the outcome in a cell of the table.
func (o *outcome) String() string {
	const most = 200 // bytes of what it says
	parts := []string{o.ended}
	if o.hung {
		parts[0] = "HANGS: killed 2 s after SIGTERM"
	}
	if o.counted {
		sum := fmt.Sprintf("%d received = %d captured + %d dropped", o.received, o.captured, o.dropped)
		if o.missing > 0 {
			sum += fmt.Sprintf(" + %d not written", o.missing)
		}
		if o.received != o.captured+o.dropped+o.missing {
			sum = strings.Replace(sum, "=", "≠", 1)
		}
		parts = append(parts, sum)
	}
	if o.sent > 0 && o.sent != o.received {
		parts = append(parts, fmt.Sprintf("%d sent", o.sent))
	}
	if o.readable >= 0 && (o.counted || o.readable > 0) {
		read := fmt.Sprintf("%d readable", o.readable)
		if o.warned {
			read += " with a warning"
		}
		parts = append(parts, read)
	}
	if o.note != "" {
		parts = append(parts, o.note)
	}
	if o.words != "" {
		parts = append(parts, "*"+printable(o.words[:min(len(o.words), most)])+"*")
	}
	return strings.Join(parts, "; ")
}

// judge holds icap to the law.
func (s *scene) judge() {
	s.Helper()
	if !s.icap() {
		return
	}
	o, w := &s.outcome, &s.wants
	switch {
	case o.hung:
		s.Error("it hangs")
	case w.survives:
		s.Error("it goes on where it should end, or ends where it should go on")
	case o.code != w.code:
		s.Errorf("%s, want %d", o.ended, w.code)
	case !strings.Contains(s.proc.text(), w.said):
		s.Errorf("it does not say %q", w.said)
	case w.refuses && o.counted:
		s.Error("it captured")
	case !w.refuses && !o.counted && w.code >= 0:
		s.Error("it does not tell the counts")
	case o.received != o.captured+o.dropped+o.missing:
		s.Error("received is not written and losses")
	case o.readable >= 0 && o.counted && o.readable != o.captured:
		s.Error("what is told as captured is not what can be read")
	case o.warned && !w.torn:
		s.Error("tshark complains about the file")
	case w.all && o.captured != o.sent:
		s.Errorf("%d of %d captured", o.captured, o.sent)
	}
	if s.Failed() {
		s.Logf("%s\n%s", o, s.proc.text())
	}
}
