package stitch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

// capture makes a pcapng file of segments, with blocks of other kinds between.
func capture(t testing.TB, segments ...segment) []byte {
	t.Helper()
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{Application: "test", Comment: "a capture"})
	file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: "lo", LinkType: 1})
	for i, s := range segments {
		file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{
			Time: int64(i), Data: s.frame(t), Direction: pcapwriter.Inbound, Reception: pcapwriter.Unicast,
		})
		file = pcapwriter.AppendStatistics(file, &pcapwriter.Statistics{Time: int64(i)})
	}
	return file
}

// stitched is the stitched file, and what was done.
func stitched(t testing.TB, o Options, files ...[]byte) ([]byte, Result) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, o)
	for _, file := range files {
		r, err := capfile.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.File(r); err != nil {
			t.Fatal(err)
		}
	}
	result, err := w.Flush()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), result
}

// lines describes the blocks of a file. Packets show where they go and what
// is said of them.
func lines(t testing.TB, file []byte) (all []string) {
	t.Helper()
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Packet == nil {
			all = append(all, fmt.Sprintf("type %d, %x", b.Type, b.Raw))
			continue
		}
		v := view(t, b.Packet.Data)
		line := fmt.Sprintf("%d: %s > %s", b.Packet.Time, v.Src, v.Dst)
		for o, rest, ok := capfile.NextOption(b.Packet.Options, b.Order); ok; o, rest, ok = capfile.NextOption(rest, b.Order) {
			if o.Code == capfile.OptionComment {
				line += " " + string(o.Value)
			}
		}
		all = append(all, line)
	}
}

var conversation = []segment{
	{app, proxy, "S", 100, 0, "", true},
	{"10.0.0.9:1", "10.0.0.5:2", "A", 1, 1, "somebody else", true},
	{service, app, "SA", 900, 101, "", true},
	{app, proxy, "A", 101, 901, "GET", true},
	{"10.0.0.5:50000", proxy, "S", 77, 0, "", true}, // never answered
}

func TestFile(t *testing.T) {
	in := capture(t, conversation...)
	for _, test := range []struct {
		name    string
		options Options
		want    []string
		result  Result
	}{
		{"restored", Options{}, []string{
			"0: 10.0.0.5:40000 > 10.96.1.1:80 icap: captured as 10.0.0.5:40000 > 127.0.0.1:15001, restored by sequence numbers",
			"1: 10.0.0.9:1 > 10.0.0.5:2",
			"2: 10.96.1.1:80 > 10.0.0.5:40000",
			"3: 10.0.0.5:40000 > 10.96.1.1:80 icap: captured as 10.0.0.5:40000 > 127.0.0.1:15001, restored by sequence numbers",
			"4: 10.0.0.5:50000 > 127.0.0.1:15001",
		}, Result{Packets: 5, Restored: 2, Unknown: 1}},
		{"annotated", Options{Annotate: true}, []string{
			"0: 10.0.0.5:40000 > 127.0.0.1:15001 icap: redirected from 10.0.0.5:40000 > 10.96.1.1:80, known by sequence numbers",
			"1: 10.0.0.9:1 > 10.0.0.5:2",
			"2: 10.96.1.1:80 > 10.0.0.5:40000",
			"3: 10.0.0.5:40000 > 127.0.0.1:15001 icap: redirected from 10.0.0.5:40000 > 10.96.1.1:80, known by sequence numbers",
			"4: 10.0.0.5:50000 > 127.0.0.1:15001",
		}, Result{Packets: 5, Restored: 2, Unknown: 1}},
		{"nothing may wait", Options{Hold: 1}, []string{
			"0: 10.0.0.5:40000 > 127.0.0.1:15001",
			"1: 10.0.0.9:1 > 10.0.0.5:2",
			"2: 10.96.1.1:80 > 10.0.0.5:40000",
			"3: 10.0.0.5:40000 > 10.96.1.1:80 icap: captured as 10.0.0.5:40000 > 127.0.0.1:15001, restored by sequence numbers",
			"4: 10.0.0.5:50000 > 127.0.0.1:15001",
		}, Result{Packets: 5, Restored: 1, Unknown: 2}},
		{"checksums", Options{Checksums: true}, []string{
			"0: 10.0.0.5:40000 > 10.96.1.1:80 icap: captured as 10.0.0.5:40000 > 127.0.0.1:15001, restored by sequence numbers",
			"1: 10.0.0.9:1 > 10.0.0.5:2",
			"2: 10.96.1.1:80 > 10.0.0.5:40000",
			"3: 10.0.0.5:40000 > 10.96.1.1:80 icap: captured as 10.0.0.5:40000 > 127.0.0.1:15001, restored by sequence numbers",
			"4: 10.0.0.5:50000 > 127.0.0.1:15001",
		}, Result{Packets: 5, Restored: 2, Unknown: 1, Completed: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, result := stitched(t, test.options, in)
			if result != test.result {
				t.Errorf("%+v, want %+v", result, test.result)
			}
			before, after := lines(t, in), lines(t, out)
			if len(before) != len(after) || !strings.Contains(string(out), "icap stitch: ") {
				t.Fatalf("%d blocks of %d", len(after), len(before))
			}
			var packets []string
			for i, line := range after {
				switch {
				case !strings.HasPrefix(line, "type "):
					packets = append(packets, line)
				case i > 0 && line != before[i]:
					t.Errorf("block %d changed from %s to %s", i, before[i], line)
				}
			}
			if got := strings.Join(packets, "\n"); got != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestFiles has the two halves of a conversation in two files.
func TestFiles(t *testing.T) {
	out, result := stitched(t, Options{}, capture(t, conversation[:2]...), capture(t, conversation[2:]...))
	if want := (Result{Packets: 5, Restored: 2, Unknown: 1}); result != want {
		t.Errorf("%+v, want %+v", result, want)
	}
	if got := len(lines(t, out)); got != 2*2+2*5 {
		t.Errorf("%d blocks", got)
	}
}

// TestTornFile keeps what is whole.
func TestTornFile(t *testing.T) {
	in := capture(t, conversation...)
	var out bytes.Buffer
	w := NewWriter(&out, Options{})
	r, err := capfile.NewReader(bytes.NewReader(in[:len(in)-1]))
	if err != nil {
		t.Fatal(err)
	}
	var torn *capfile.TornError
	if err := w.File(r); !errors.As(err, &torn) {
		t.Error(err)
	}
	if result, err := w.Flush(); err != nil || result.Packets != 5 {
		t.Errorf("%+v, %v", result, err)
	}
	if got, want := len(lines(t, out.Bytes())), 2+2*5-1; got != want {
		t.Errorf("%d blocks, want %d", got, want)
	}
}

// BenchmarkFile stitches connections of ten segments of 1 kB.
func BenchmarkFile(b *testing.B) {
	talk := []segment{conversation[0], conversation[2]}
	for range 4 {
		talk = append(talk,
			segment{app, proxy, "A", 101, 901, strings.Repeat("q", 1000), true},
			segment{service, app, "A", 901, 101, strings.Repeat("a", 1000), true})
	}
	var many []segment
	for range 200 {
		many = append(many, talk...)
	}
	in := capture(b, many...)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		r, err := capfile.NewReader(bytes.NewReader(in))
		if err != nil {
			b.Fatal(err)
		}
		w := NewWriter(io.Discard, Options{})
		if err := w.File(r); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}
