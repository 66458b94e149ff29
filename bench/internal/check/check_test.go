package check

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"icap/bench/internal/load"
)

// numbered are frames of one run by their numbers.
func numbered(frames *load.Frames, numbers ...uint32) [][]byte {
	var all [][]byte
	for _, n := range numbers {
		all = append(all, frames.Frame(n))
	}
	return all
}

func pcapOf(t *testing.T, packets [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	writeAll(t, w, packets)
	return b.Bytes()
}

func pcapngOf(t *testing.T, packets [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	writeAll(t, w, packets)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type packetWriter interface {
	WritePacket(gopacket.CaptureInfo, []byte) error
}

func writeAll(t *testing.T, w packetWriter, packets [][]byte) {
	t.Helper()
	for _, p := range packets {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(p), Length: len(p)}
		if err := w.WritePacket(info, p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheck(t *testing.T) {
	frames := load.NewFrames(load.Uniform(64), 1)
	damaged := numbered(frames, 1)[0]
	damaged[63] ^= 1
	tests := []struct {
		name    string
		packets [][]byte
		want    Verdict
	}{
		{"complete", numbered(frames, 0, 1, 2, 3), Verdict{Packets: 4}},
		{"empty", nil, Verdict{Missing: 4}},
		{"missing", numbered(frames, 0, 3), Verdict{Packets: 2, Missing: 2}},
		{"duplicate", numbered(frames, 0, 1, 1, 2, 3), Verdict{Packets: 4, Duplicate: 1}},
		{"late", numbered(frames, 0, 2, 3, 1), Verdict{Packets: 4, Unordered: 1}},
		{"early", numbered(frames, 3, 0, 1, 2), Verdict{Packets: 4, Unordered: 3}},
		{"number too high", numbered(frames, 0, 1, 2, 3, 4), Verdict{Packets: 4, Damaged: 1}},
		{"damaged", append(numbered(frames, 0, 2, 3), damaged), Verdict{Packets: 3, Missing: 1, Damaged: 1}},
		{"cut", append(numbered(frames, 0, 1, 2), frames.Frame(3)[:60]), Verdict{Packets: 3, Missing: 1, Damaged: 1}},
		{"of another run", append(numbered(frames, 0, 1, 2, 3), load.NewFrames(load.Uniform(64), 2).Frame(0)), Verdict{Packets: 4, Damaged: 1}},
		{"foreign", append(numbered(frames, 0, 1, 2, 3), make([]byte, 42)), Verdict{Packets: 4, Foreign: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, f := range []struct {
				name string
				open Format
				file []byte
			}{
				{"pcap", Pcap, pcapOf(t, tt.packets)},
				{"pcapng", Pcapng, pcapngOf(t, tt.packets)},
			} {
				got, err := check(bytes.NewReader(f.file), f.open, frames, 4)
				if err != nil {
					t.Fatalf("%s: %v", f.name, err)
				}
				if first := time.Unix(1, 0); got.Packets > 0 && !got.First.Equal(first) {
					t.Errorf("%s: first packet is of %s, want %s", f.name, got.First, first)
				}
				got.First = time.Time{}
				if got != tt.want {
					t.Errorf("%s: got %+v, want %+v", f.name, got, tt.want)
				}
				clean := got.Duplicate+got.Unordered+got.Damaged+got.Foreign == 0
				if (got.Fault() == nil) != clean {
					t.Errorf("%s: fault is %v for %+v", f.name, got.Fault(), got)
				}
			}
		})
	}
}

func TestCheckTornFile(t *testing.T) {
	frames := load.NewFrames(load.Uniform(64), 1)
	file := pcapOf(t, numbered(frames, 0, 1))
	_, err := check(bytes.NewReader(file[:len(file)-1]), Pcap, frames, 2)
	if err == nil {
		t.Error("no error for a file that ends inside a packet")
	}
}

func TestCheckFileWithoutFile(t *testing.T) {
	if _, err := File(filepath.Join(t.TempDir(), "none"), Pcap, load.NewFrames(load.Uniform(64), 1), 1); err == nil {
		t.Error("no error")
	}
	if _, err := check(bytes.NewReader(nil), Pcapng, load.NewFrames(load.Uniform(64), 1), 1); err == nil {
		t.Error("no error for an empty file")
	}
}
