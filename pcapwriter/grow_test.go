package pcapwriter

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

// TestAddInterface adds an interface between packets, and has it read.
func TestAddInterface(t *testing.T) {
	f, w := newWriter(t, Config{})
	write := func(i uint32) error {
		return w.WritePacket(&Packet{Interface: i, Data: udpFrame(10), Time: 1_700_000_000_000_000_000})
	}
	late := Interface{Name: "eth0:late", Description: "came later", LinkType: 1, Snaplen: 262144}
	if err := write(1); err != nil {
		t.Fatal(err)
	}
	if err := write(2); err == nil {
		t.Error("a packet of an interface that is not there yet was taken")
	}
	if err := w.AddInterface(&late); err != nil {
		t.Fatal(err)
	}
	if err := w.AddNames([]Name{{netip.MustParseAddr("10.0.0.9"), []string{"late.shop"}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := write(2); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteStatistics(&Statistics{Interface: 2, Received: 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Delivered(1) != 1 || w.Delivered(2) != 2 {
		t.Errorf("delivered %d and %d, want 1 and 2", w.Delivered(1), w.Delivered(2))
	}
	judgeFile(t, f.Name(), 3)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	r, packets := gopacketRead(t, b)
	if len(packets) != 3 || r.NInterfaces() != 3 {
		t.Errorf("gopacket reads %d packets on %d interfaces", len(packets), r.NInterfaces())
	}
	got := strings.Join(tsharkFields(t, f.Name(), "frame.interface_name"), " ")
	if want := "lo:inbound-app eth0:late eth0:late"; got != want {
		t.Errorf("tshark says %q, want %q", got, want)
	}
}

// TestAddInterfaceRefused adds nothing that libpcap would not read.
func TestAddInterfaceRefused(t *testing.T) {
	f, w := newWriter(t, Config{})
	for _, i := range []Interface{{Name: "a", LinkType: 113, Snaplen: 262144}, {Name: "b", LinkType: 1, Snaplen: 100}} {
		if err := w.AddInterface(&i); err == nil || !strings.Contains(err.Error(), "different") {
			t.Errorf("%s: %v", i.Name, err)
		}
	}
	if err := w.WritePacket(&Packet{Interface: 2, Data: udpFrame(1)}); err == nil {
		t.Error("a refused interface can be named")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 0)
	if err := w.AddInterface(&Interface{LinkType: 1, Snaplen: 262144}); err != os.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	if err := w.AddNames(nil); err != os.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// TestAddBlocks adds blocks of another file, and an interface with options that
// this package does not know.
func TestAddBlocks(t *testing.T) {
	f, w := newWriter(t, Config{BatchSize: 200})
	hardware := append([]byte{15, 0, 4, 0}, "card"...)
	if err := w.AddInterface(&Interface{Name: "eth1", LinkType: 1, Snaplen: 262144, Options: hardware}); err != nil {
		t.Fatal(err)
	}
	blocks := AppendStatistics(nil, &Statistics{Interface: 2, Received: 1})
	blocks = AppendStatistics(blocks, &Statistics{Interface: 2, Received: 2, Comment: strings.Repeat("long ", 100)})
	if err := w.AddBlocks(blocks); err != nil {
		t.Fatal(err)
	}
	if got := w.Stats().Bytes; got != w.Size() {
		t.Errorf("%d of %d bytes written when the batch was full", got, w.Size())
	}
	if err := w.WritePacket(&Packet{Interface: 2, Data: udpFrame(1)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 1)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), string(blocks)) || !strings.Contains(string(b), string(hardware)) {
		t.Error("the file lacks what was added")
	}
	if err := w.AddBlocks(blocks); err != os.ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}
