package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"icap/pcapwriter"
)

// evil would clear a terminal, write over a line, turn the direction of
// reading, and is not UTF-8.
const evil = "e\x1b[2Jv\r\ni\u202el\x9b31m\xff\x00\u2066<script>\"'&;#"

// unprintable says where a text could talk to a terminal, -1 if nowhere.
func unprintable(text string) int {
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1,
			unicode.IsControl(r) && r != '\n' && r != '\t',
			unicode.Is(unicode.Bidi_Control, r):
			return i
		}
	}
	return -1
}

// segment is a frame of TCP.
func segment(t *testing.T, src, dst string, sport, dport uint16, seq uint32, set func(*layers.TCP), payload string) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: seq, Ack: 1, Window: 500}
	set(tcp)
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, tcp, gopacket.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hello is a ClientHello for a server of a name.
func hello(t *testing.T, name string) string {
	t.Helper()
	client, server := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: name, NextProtos: []string{evil}}).Handshake() // nobody answers
	}()
	record := make([]byte, 1<<12)
	n, err := server.Read(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(server.Close(), client.Close()); err != nil {
		t.Fatal(err)
	}
	return string(record[:n])
}

// hostileFile has connections with what strangers choose in every place.
func hostileFile(t *testing.T, dir string) string {
	t.Helper()
	// The writer lets only UTF-8 through, other programs do not.
	placeholder := strings.Repeat("Q", len(evil))
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{Comment: placeholder, Application: placeholder, Hardware: placeholder, OS: placeholder})
	for _, name := range []string{"lo:outbound-app@" + placeholder, "eth0:outbound-wire@" + placeholder, placeholder} {
		file = pcapwriter.AppendInterface(file, &pcapwriter.Interface{Name: name, Description: placeholder, Filter: placeholder, LinkType: 1, Snaplen: 262144})
	}
	file = pcapwriter.AppendNames(file, []pcapwriter.Name{{Addr: netip.MustParseAddr("10.0.0.1"), Names: []string{placeholder}}})
	ns := int64(1_700_000_000_000_000_000)
	add := func(i uint32, data []byte) {
		ns += 1e6
		file = pcapwriter.AppendPacket(file, &pcapwriter.Packet{Interface: i, Time: ns, Data: data, Comment: placeholder})
	}
	for i := range uint32(3) {
		port := uint16(1000 + i)
		add(i, segment(t, "10.0.0.1", "10.0.0.2", port, 80, 0, func(h *layers.TCP) { h.SYN, h.Ack = true, 0 }, ""))
		add(i, segment(t, "10.0.0.2", "10.0.0.1", 80, port, 0, func(h *layers.TCP) { h.SYN, h.ACK = true, true }, ""))
		request := "GET /" + evil + " HTTP/1.1\r\nHost: " + evil + "\r\n\r\n"
		if i == 1 {
			request = hello(t, evil)
		}
		add(i, segment(t, "10.0.0.1", "10.0.0.2", port, 80, 1, func(h *layers.TCP) { h.PSH, h.ACK = true, true }, request))
		add(i, segment(t, "10.0.0.2", "10.0.0.1", 80, port, 1, func(h *layers.TCP) { h.PSH, h.ACK = true, true }, "HTTP/1.1 200 "+evil+"\r\n\r\n"))
		add(i, segment(t, "10.0.0.2", "10.0.0.1", 80, port, 100, func(h *layers.TCP) { h.RST, h.ACK = true, true }, ""))
	}
	for i := range uint32(3) {
		file = pcapwriter.AppendStatistics(file, &pcapwriter.Statistics{Interface: i, Received: 7, Dropped: 1})
	}
	path := filepath.Join(dir, "evil\x1b[31m.pcapng")
	if err := os.WriteFile(path, bytes.ReplaceAll(file, []byte(placeholder), []byte(evil)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHostileFile has every output of what can be read show names, paths and
// bytes that strangers choose.
func TestHostileFile(t *testing.T) {
	dir := t.TempDir()
	file := hostileFile(t, dir)
	for _, line := range []string{
		"read FILE", "read -nvvv FILE", "read -neXX FILE", "read -nA FILE", "read -nx --names FILE", "read -nq# FILE", "read --count FILE",
		"-r FILE tcp", "read -w DIR/selected FILE", "read -w FILE FILE", "read FILE.none", "read FILE " + evil, "-r FILE -i " + evil,
		"flows -r FILE", "flows -r FILE -o wide", "flows -r FILE -o json", "flows -r FILE -o csv", "flows -r FILE --pairs", "flows -r FILE --pairs -o json",
		"events -r FILE", "events -r FILE -o json", "events -r FILE -o mermaid", "events -r FILE -o svg", "events -r FILE -o html",
		"check FILE", "repair FILE -w DIR/" + evil[:4], "stitch FILE DIR/stitched", "stitch FILE.none DIR/none",
		"pod " + evil, "pod netns:/" + evil, "pod --leg " + evil + " self", "gateway --pod-cidr " + evil + " -i lo", "compile " + evil, "compile -y " + evil,
		"-w " + dir + "/none/" + evil[:4] + " -i lo", "-i " + evil, "--color " + evil, "--" + evil, "-Q " + evil, evil, "events -r FILE --only " + evil,
		"read FILE --keylog " + evil[:3] + " -w DIR/k", "ls -o " + evil, "-F " + evil[:5], "-V " + evil[:5], "-j " + evil, "extcap --capture --fifo " + evil[:5],
		"doctor -w DIR/" + evil[:5] + "/x", "doctor -o json -w DIR/" + evil[:5] + "/x", "doctor --proc-root DIR/" + evil[:5], "doctor " + evil, "doctor -o " + evil,
		"ls --proc-root DIR/" + evil[:5], "compile --explain " + evil, "man FILE", "read -ne FILE", "-r FILE -c " + evil, "extcap --install=FILE/x", "completion " + evil,
		"read FILE --trigger rst -w DIR/t" + evil[:3], "read FILE --trigger " + evil, "wait " + evil, "demo --rules " + evil, "--netns " + evil, "__complete --netns " + evil + " -i ",
	} {
		args := strings.Split(line, " ")
		for i, a := range args {
			a = strings.ReplaceAll(a, "FILE", file)
			args[i] = strings.ReplaceAll(strings.ReplaceAll(a, "DIR", dir), "\x00", "") // which no argument can have
		}
		out, _ := icap(t, args...).CombinedOutput() // some cannot succeed
		if i := unprintable(string(out)); i >= 0 {
			t.Errorf("icap %q prints, at %d, %q", args, i, out[max(0, i-40):min(len(out), i+40)])
		}
		if len(out) == 0 && !strings.Contains(line, "-w ") && !strings.HasPrefix(line, "compile") {
			t.Errorf("icap %q prints nothing", args)
		}
		if bytes.Contains(out, []byte("<script")) && (strings.HasSuffix(line, "-o svg") || strings.HasSuffix(line, "-o html")) {
			t.Errorf("icap %q: a name breaks out", args)
		}
	}
}
