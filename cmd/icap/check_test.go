package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icap/internal/gather"
	"icap/pcapwriter"
)

// TestCheckGathered checks a file of two nodes that have the same interfaces,
// with two legs each. One of them has not written a packet that it received.
func TestCheckGathered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gathered.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := gather.New(f, gather.Config{})
	for i, node := range []string{"node-1", "node-2"} {
		received := uint64(2 + i)
		b := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
		for _, leg := range []string{"lo:inbound-app@ingress", "lo:outbound-app@ingress"} {
			b = pcapwriter.AppendInterface(b, &pcapwriter.Interface{Name: leg, LinkType: 1, Snaplen: 262144})
		}
		for leg := range uint32(2) {
			b = pcapwriter.AppendPacket(b, &pcapwriter.Packet{Interface: leg, Time: 1, Data: []byte("packet")})
		}
		for leg := range uint32(2) {
			b = pcapwriter.AppendStatistics(b, &pcapwriter.Statistics{Interface: leg, End: 2, Received: received, Accepted: received, Delivered: 1})
		}
		if _, err := g.Add(gather.Source{Node: node, Stream: io.NopCloser(bytes.NewReader(b))}); err != nil {
			t.Fatal(err)
		}
	}
	g.Close()
	if _, err := g.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	reasons, has, err := checkFile(path)
	if want := "node node-2, lo:inbound-app@ingress: 1 packet received, and not written"; err != nil || has != "4 packets" || strings.Join(reasons, "\n") != want {
		t.Errorf("%s, %q, %v; want %q", has, reasons, err, want)
	}
}
