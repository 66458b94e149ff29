package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"icap/internal/capture"
	"icap/internal/flow"
	"icap/pcapwriter"
)

// TestReadTrigger selects what surrounds packets of a file, which are ten
// seconds apart.
func TestReadTrigger(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "in.pcapng"), "eth0", 1000, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	for _, test := range []struct {
		args  string
		want  string
		tells string
	}{
		{"--trigger udp_port_5", "4 5 6", "1 window around 1 event, 6 packets not"},
		{"--trigger udp_port_5 --pre 20s --post 0s", "3 4 5", "1 window"},
		{"--trigger udp_port_3 --trigger udp_port_5", "2 3 4 5 6", "1 window around 2 events"},
		{"--trigger udp_port_2 --trigger udp_port_7", "1 2 3 6 7 8", "2 windows around 2 events, 3 packets not"},
		{"--trigger udp_port_2 --trigger udp_port_7 -c 4", "1 2 3 6", "2 windows"},
		{"--trigger udp_port_5 --skip 4 --pre 30s", "5 6", "1 window"},
		{"--trigger udp_port_5 --post 20s not_port_6", "4 5 7", "1 window"},
		{"--trigger rst", "", "0 windows around 0 events, 9 packets not"},
	} {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Fields(test.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "_", " ")
			}
			out := filepath.Join(t.TempDir(), "out.pcapng")
			path, err := exec.LookPath("icap") // testscript.Main has put it there
			if err != nil {
				t.Fatal(err)
			}
			told, err := exec.Command(path, append([]string{"read", file, "-w", out}, args...)...).CombinedOutput()
			if err != nil || !strings.Contains(string(told), test.tells) {
				t.Errorf("%v, no %q in\n%s", err, test.tells, told)
			}
			if got := portsOf(readBy(t, nil, "read", out, "-n")); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if test.want == "" {
				return
			}
			b, err := os.ReadFile(out)
			if err != nil || strings.Count(string(b), "kept") != len(strings.Fields(test.want)) {
				t.Errorf("comments are gone, %v", err)
			}
		})
	}
	// Lines say the same, and the packet that was the event is marked.
	if got := portsOf(readBy(t, nil, "-r", file, "-n", "--trigger", "port 5", "--pre", "0s")); got != "5 6" {
		t.Errorf("-r: %s", got)
	}
	out := filepath.Join(t.TempDir(), "out.pcapng")
	readBy(t, nil, "read", file, "-w", out, "--trigger", "port 5", "--pre", "0s")
	b, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(b), "icap: 4 packets before this one left out: not around an event\nicap: trigger: port 5") {
		t.Errorf("%q, %v", b, err)
	}
}

// segmentFrame is a frame with a segment of TCP from 10.0.0.1:1000.
func segmentFrame(seq byte, flags flow.Flags, data string) []byte {
	return []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" +
		"\x45\x00\x00" + string([]byte{byte(40 + len(data))}) + "\x00\x00\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" +
		"\x03\xe8\x00\x50\x00\x00\x00" + string([]byte{seq}) + "\x00\x00\x00\x01\x50" + string([]byte{byte(flags)}) + "\x10\x00\x00\x00\x00\x00" + data)
}

func TestTriggersOfTCP(t *testing.T) {
	for _, test := range []struct {
		when string
		want string // for each packet: r, f, t for retransmit, - for none
	}{
		{"rst", "-------r"}, {"fin", "-----f--"}, {"retransmit", "---t--t-"}, {"fin rst retransmit", "---t-ftr"}, {"SIGUSR2", "--------"},
	} {
		tr := newTriggers(&triggerFlags{when: strings.Fields(test.when)})
		got := ""
		for i, frame := range [][]byte{
			segmentFrame(9, flow.SYN, ""), segmentFrame(10, flow.ACK, "data"), segmentFrame(14, flow.ACK, "more"), segmentFrame(10, flow.ACK, "data"),
			udp(7), segmentFrame(18, flow.FIN|flow.ACK, ""), segmentFrame(14, flow.ACK, "more"), segmentFrame(19, flow.RST, ""),
		} {
			letter := map[string]string{"": "-", "rst": "r", "fin": "f", "retransmit": "t"}
			got += letter[tr.tcp("eth0", flow.LinkEthernet, frame, int64(i), len(frame))]
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.when, got, test.want)
		}
	}
}

// TestTriggersAllocate looks at packets of connections that are known.
func TestTriggersAllocate(t *testing.T) {
	tr := newTriggers(&triggerFlags{when: []string{"rst", "fin", "retransmit"}})
	frame := segmentFrame(10, flow.ACK, "")
	tr.tcp("eth0", flow.LinkEthernet, frame, 1, len(frame))
	if n := testing.AllocsPerRun(100, func() { tr.tcp("eth0", flow.LinkEthernet, frame, 1, len(frame)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTriggerMemoryFits(t *testing.T) {
	given := func(string) bool { return true }
	for _, test := range []struct {
		available int
		changed   func(string) bool
		want      int // 0 for a refusal
	}{
		{1 << 40, nil, 256 << 20}, {512 << 20, given, 256 << 20}, {128 << 20, nil, 64 << 20}, {1 << 20, nil, 2 << 20}, {128 << 20, given, 0},
	} {
		f := triggerFlags{when: []string{"rst"}, memory: size{bytes: usualHeld, unit: 1}, changed: test.changed}
		if err := f.fit(test.available); (err != nil) != (test.want == 0) || err == nil && f.memory.bytes != test.want {
			t.Errorf("%d available: %d, %v", test.available, f.memory.bytes, err)
		}
	}
}

func TestEventNames(t *testing.T) {
	at := func(seconds int) capture.Place {
		return capture.Place{Begin: time.Date(2026, 8, 1, 12, 0, seconds, 0, time.Local)}
	}
	for _, test := range []struct {
		output string
		want   string
	}{
		{"out.pcapng", "out.pcapng out.pcapng1 out.pcapng2 out.pcapng2 out.pcapng3"},
		{"rst-%M%S", "rst-0001 rst-0002 rst-00021 rst-00021 rst-0003"},
	} {
		n := &eventNames{output: test.output}
		var got []string
		for i, second := range []int{1, 2, 2, 2, 3} {
			got = append(got, n.next(at(second)))
			if i == 2 && n.takeBack() != got[i] {
				t.Errorf("%s is not taken back", got[i])
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// TestTriggerSections has an event in a section behind the one in which
// packets are held: those cannot be written any more.
func TestTriggerSections(t *testing.T) {
	one, err := os.ReadFile(write(t, filepath.Join(t.TempDir(), "one"), "eth0", 1000, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	file := append(one, pcapwriter.AppendSection(nil, &pcapwriter.Section{})...)
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: "lo", LinkType: 1})
	file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Time: 1015e9, Data: udp(3)})
	if got := portsOf(readBy(t, file, "read", "-", "-n", "--trigger", "port 3", "--pre", "60s")); got != "3" {
		t.Errorf("got %s", got)
	}
}

// nothing is a sink that takes all.
type nothing struct{ sink }

func (nothing) Packet(*capture.Packet) error { return nil }

// TestTriggerSinkAllocates holds and drops packets, and passes some on.
func TestTriggerSinkAllocates(t *testing.T) {
	var f captureFlags
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse([]string{"--trigger", "udp port 7", "--trigger", "rst", "--trigger", "retransmit", "--pre", "1ms", "--post", "1ms"}); err != nil {
		t.Fatal(err)
	}
	s := &session{flags: &f, errs: &console{out: io.Discard}, sources: []*source{{}}, interfaces: []pcapwriter.Interface{{Name: "eth0"}}}
	out, err := newTriggerSink(s, nothing{})
	if err != nil {
		t.Fatal(err)
	}
	p := capture.Packet{}
	frames := [][]byte{udp(8), segmentFrame(10, flow.ACK, "")}
	step := func() {
		for i := range 5000 {
			p.Time += int64(time.Microsecond)
			p.Data = frames[i%2]
			if err := out.Packet(&p); err != nil {
				t.Fatal(err)
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n > 0 {
		t.Errorf("%v allocations in 5000 packets that are held", n)
	}
	p.Data = udp(7)
	if err := out.Packet(&p); err != nil || out.windows.number != 1 || out.written == 0 || out.live.Sources[0].Unneeded == 0 {
		t.Errorf("%v, %+v", err, out.windows)
	}
	p.Data = frames[0]
	if n := testing.AllocsPerRun(500, func() {
		if err := out.Packet(&p); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a packet that is passed on", n)
	}
}
