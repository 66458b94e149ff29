package gather_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/internal/gather"
	"icap/pcapwriter"
)

// TestBroken has every kind of stream that is not right beside one that is. The
// result names what is wrong, and what was right of it is in the file.
func TestBroken(t *testing.T) {
	whole := func() *script {
		s := oneLeg("bad")
		s.packet(0, 20, "bad20")
		return s
	}
	counted := whole()
	counted.statistics(21)
	gone := errors.New("connection lost")
	var torn *capfile.TornError
	var wrong *capfile.FormatError
	for _, tt := range []struct {
		name   string
		stream io.Reader
		is     error  // the error that it must be
		as     any    // or be like
		says   string // and what it must say
		has    bool   // its packet is in the file
	}{
		{name: "whole", stream: bytes.NewReader(counted.b), has: true},
		{name: "nothing", stream: strings.NewReader(""), is: gather.ErrNothing},
		{name: "killed", stream: bytes.NewReader(whole().b), is: gather.ErrCut, has: true},
		{name: "torn", stream: bytes.NewReader(counted.b[:len(counted.b)-1]), as: &torn, has: true},
		{name: "torn in a head", stream: bytes.NewReader(append(whole().b, 6, 0)), as: &torn, has: true},
		{name: "connection lost", stream: io.MultiReader(bytes.NewReader(whole().b), failing{gone}), is: gone, has: true},
		{name: "no progress", stream: failing{}, is: io.ErrNoProgress},
		{name: "text", stream: strings.NewReader("error: pods \"icap\" not found\n"), as: &wrong, says: "section header"},
		{name: "zeros", stream: bytes.NewReader(append(whole().b, make([]byte, 100)...)), as: &wrong, has: true},
		{name: "pcap", stream: strings.NewReader("\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + strings.Repeat("\x00", 16)), as: &wrong},
		{name: "big endian", stream: strings.NewReader("\x0a\x0d\x0d\x0a\x00\x00\x00\x1c\x1a\x2b\x3c\x4d\x00\x01\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x1c"), as: &wrong, says: "byte order"},
		{name: "other link type", stream: bytes.NewReader(strange(113, 262144)), as: &wrong, says: `interface "odd" has link type 113, and those of the file have 1`},
		{name: "other snapshot length", stream: bytes.NewReader(strange(1, 96)), as: &wrong, says: "has snapshot length 96"},
		{name: "packet without interface", stream: bytes.NewReader(pcapwriter.AppendPacket(whole().b, &pcapwriter.Packet{Interface: 1})), as: &wrong, has: true},
		{name: "statistics without interface", stream: bytes.NewReader(pcapwriter.AppendStatistics(whole().b, &pcapwriter.Statistics{Interface: 1})), as: &wrong, has: true},
		{name: "longer than the snapshot length", stream: bytes.NewReader(pcapwriter.AppendPacket(whole().b, &pcapwriter.Packet{Data: make([]byte, 262145)})), as: &wrong, has: true},
		{name: "endless block", stream: bytes.NewReader(append(whole().b, 6, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0)), as: &wrong, says: "more than a packet can have", has: true},
		{name: "simple packet", stream: bytes.NewReader(append(whole().b, 3, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0)), as: &wrong, says: "type 3", has: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good := oneLeg("good")
			good.packet(0, 10, "good10")
			good.packet(0, 30, "good30")
			good.statistics(31)
			r, file := firstThen(t, gather.Config{}, oneLeg("anchor").source("n0"), good.source("n1"), gather.Source{Node: "n2", Stream: io.NopCloser(tt.stream)})
			s := r.Streams[2]
			switch {
			case !s.Ended || s.Node != "n2":
				t.Errorf("%+v", s)
			case tt.as != nil && !errors.As(s.Err, tt.as), tt.as == nil && !errors.Is(s.Err, tt.is):
				t.Errorf("got %v", s.Err)
			case tt.says != "" && !strings.Contains(s.Err.Error(), tt.says):
				t.Errorf("got %q, want it to say %q", s.Err, tt.says)
			}
			want := "good10 good30"
			if tt.has {
				want = "good10 bad20 good30"
			}
			if got := strings.Join(data(t, file), " "); got != want {
				t.Errorf("file has %q, want %q", got, want)
			}
		})
	}
}

// failing is a stream that is broken, or that brings nothing.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// strange is a stream whose interface the file cannot have.
func strange(linkType uint16, snaplen uint32) []byte {
	b := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	return pcapwriter.AppendInterface(b, &pcapwriter.Interface{Name: "odd", LinkType: linkType, Snaplen: snaplen})
}

// TestNoStreams ends before there was anything to merge.
func TestNoStreams(t *testing.T) {
	r, file := merged(t, gather.Config{Section: pcapwriter.Section{Application: "test"}})
	if blocks := read(t, file); len(blocks) != 1 || blocks[0].Type != capfile.TypeSection || r.Packets != 0 {
		t.Errorf("%v", blocks)
	}
}

// data is that of all packets of a file.
func data(t *testing.T, file []byte) (all []string) {
	for _, b := range read(t, file) {
		if b.Packet != nil {
			all = append(all, string(b.Packet.Data))
		}
	}
	return all
}
