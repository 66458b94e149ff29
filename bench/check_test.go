package main

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"icap/afpacket"
)

// numbered are frames of one run by their numbers.
func numbered(frame []byte, numbers ...uint32) [][]byte {
	var all [][]byte
	for _, n := range numbers {
		f := bytes.Clone(frame)
		setSequence(f, n)
		all = append(all, f)
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
	frame := newFrame(64, 1)
	damaged := numbered(frame, 1)[0]
	damaged[63] ^= 1
	tests := []struct {
		name    string
		packets [][]byte
		want    verdict
	}{
		{"complete", numbered(frame, 0, 1, 2, 3), verdict{Packets: 4}},
		{"empty", nil, verdict{Missing: 4}},
		{"missing", numbered(frame, 0, 3), verdict{Packets: 2, Missing: 2}},
		{"duplicate", numbered(frame, 0, 1, 1, 2, 3), verdict{Packets: 4, Duplicate: 1}},
		{"late", numbered(frame, 0, 2, 3, 1), verdict{Packets: 4, Unordered: 1}},
		{"early", numbered(frame, 3, 0, 1, 2), verdict{Packets: 4, Unordered: 3}},
		{"number too high", numbered(frame, 0, 1, 2, 3, 4), verdict{Packets: 4, Damaged: 1}},
		{"damaged", append(numbered(frame, 0, 2, 3), damaged), verdict{Packets: 3, Missing: 1, Damaged: 1}},
		{"cut", append(numbered(frame, 0, 1, 2), frame[:60]), verdict{Packets: 3, Missing: 1, Damaged: 1}},
		{"of another run", append(numbered(frame, 0, 1, 2, 3), newFrame(64, 2)), verdict{Packets: 4, Damaged: 1}},
		{"foreign", append(numbered(frame, 0, 1, 2, 3), make([]byte, 42)), verdict{Packets: 4, Foreign: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, f := range []struct {
				name string
				open format
				file []byte
			}{
				{"pcap", pcap, pcapOf(t, tt.packets)},
				{"pcapng", pcapng, pcapngOf(t, tt.packets)},
			} {
				got, err := check(bytes.NewReader(f.file), f.open, frame, 4)
				if err != nil {
					t.Fatalf("%s: %v", f.name, err)
				}
				if got != tt.want {
					t.Errorf("%s: got %+v, want %+v", f.name, got, tt.want)
				}
				clean := got.Duplicate+got.Unordered+got.Damaged+got.Foreign == 0
				if (got.fault() == nil) != clean {
					t.Errorf("%s: fault is %v for %+v", f.name, got.fault(), got)
				}
			}
		})
	}
}

func TestCheckTornFile(t *testing.T) {
	frame := newFrame(64, 1)
	file := pcapOf(t, numbered(frame, 0, 1))
	_, err := check(bytes.NewReader(file[:len(file)-1]), pcap, frame, 2)
	if err == nil {
		t.Error("no error for a file that ends inside a packet")
	}
}

func TestBatchWritesPcapng(t *testing.T) {
	for _, size := range []int{64, 65, 66, 67, 1500} {
		path := filepath.Join(t.TempDir(), "f")
		b, err := newBatch(path, "cap0")
		if err != nil {
			t.Fatal(err)
		}
		frame := newFrame(size, 1)
		for i, f := range numbered(frame, 0, 1, 2) {
			if err := b.add(&afpacket.Packet{Time: int64(i), Data: f, Len: size}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.flush(); err != nil {
			t.Fatal(err)
		}
		if err := b.file.Close(); err != nil {
			t.Fatal(err)
		}
		v, err := checkFile(path, pcapng, frame, 3)
		if err != nil {
			t.Fatal(err)
		}
		if v.Packets != 3 || v.fault() != nil || v.Bytes == 0 {
			t.Errorf("%d B: got %+v", size, v)
		}
	}
}

func TestCheckFileWithoutFile(t *testing.T) {
	if _, err := checkFile(filepath.Join(t.TempDir(), "none"), pcap, newFrame(64, 1), 1); err == nil {
		t.Error("no error")
	}
	if _, err := check(bytes.NewReader(nil), pcapng, newFrame(64, 1), 1); err == nil {
		t.Error("no error for an empty file")
	}
}
