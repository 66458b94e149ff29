package pcapwriter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// The judges of this file read what the package wrote: a strict walk over the
// blocks, gopacket, and the programs that users have.

// testHeader is a header with something in every field.
func testHeader() *Header {
	return &Header{
		Section: Section{
			Hardware:    "Ünivac",
			OS:          "Linux 6.12",
			Application: "icap 1.0",
			Comment:     "icap pod productpage.default",
		},
		Interfaces: []Interface{{
			Name:        "eth0:inbound-wire",
			Description: "client and proxy",
			Filter:      "tcp port 15006",
			OS:          "Linux 6.12",
			LinkType:    1,
			Snaplen:     262144,
			Addrs: []netip.Prefix{
				netip.MustParsePrefix("10.244.0.5/24"),
				netip.MustParsePrefix("fd00::5/64"),
			},
		}, {
			Name:     "lo:inbound-app",
			LinkType: 1,
			Snaplen:  262144,
		}},
		Names: []Name{
			{netip.MustParseAddr("10.244.0.5"), []string{"productpage.default"}},
			{netip.MustParseAddr("127.0.0.6"), []string{"istio-proxy"}},
			{netip.MustParseAddr("::6"), []string{"istio-proxy"}},
		},
	}
}

// udpFrame is an Ethernet frame with an IPv4 UDP packet of n payload bytes.
func udpFrame(n int) []byte {
	b := []byte{
		0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 244, 0, 5, 127, 0, 0, 6,
		0x13, 0x88, 0x17, 0x70, 0, 0, 0, 0,
	}
	binary.BigEndian.PutUint16(b[16:], uint16(28+n))
	binary.BigEndian.PutUint16(b[38:], uint16(8+n))
	sum := uint32(0)
	for i := 14; i < 34; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(b[24:], ^uint16(sum))
	return append(b, bytes.Repeat([]byte{'x'}, n)...)
}

// A block is what walk finds: the fixed part and the options.
type block struct {
	typ     uint32
	body    []byte // everything between the two lengths
	options map[uint16][]byte
}

// walk takes b apart and fails on anything that is not strictly well-formed.
func walk(t testing.TB, b []byte) []block {
	t.Helper()
	le := binary.LittleEndian
	var blocks []block
	for len(b) > 0 {
		if len(b) < 12 {
			t.Fatalf("%d bytes behind the last block", len(b))
		}
		total := int(le.Uint32(b[4:]))
		if total%4 != 0 || total < 12 || total > len(b) {
			t.Fatalf("block total length %d of %d bytes", total, len(b))
		}
		if last := int(le.Uint32(b[total-4:])); last != total {
			t.Fatalf("block total length is %d ahead and %d behind", total, last)
		}
		k := block{typ: le.Uint32(b), body: b[8 : total-4]}
		fixed := map[uint32]int{blockSection: 16, blockInterface: 8, blockStatistics: 12}[k.typ]
		if k.typ == blockPacket {
			captured := int(le.Uint32(k.body[12:]))
			fixed = 20 + captured + padding(captured)
			if !allZero(k.body[20+captured : fixed]) {
				t.Fatal("padding of packet data is not zero")
			}
		}
		if k.typ == blockSecrets {
			n := int(le.Uint32(k.body[4:]))
			fixed = 8 + n + padding(n)
			if !allZero(k.body[8+n : fixed]) {
				t.Fatal("padding of secrets is not zero")
			}
		}
		k.options = walkOptions(t, k.body[fixed:], k.typ == blockNames)
		blocks = append(blocks, k)
		b = b[total:]
	}
	return blocks
}

// walkOptions takes options apart, or the records of a name block, which are
// framed in the same way. Of an option that comes twice it keeps the last.
func walkOptions(t testing.TB, b []byte, records bool) map[uint16][]byte {
	t.Helper()
	options := map[uint16][]byte{}
	for len(b) > 0 {
		code, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if code == optEnd {
			if n != 0 || len(b) != 0 {
				t.Fatalf("end of options has length %d and %d bytes behind it", n, len(b))
			}
			return options
		}
		if n == 0 {
			t.Fatalf("option %d is empty", code)
		}
		options[code] = b[:n]
		if !allZero(b[n : n+padding(n)]) {
			t.Fatalf("padding of option %d is not zero", code)
		}
		b = b[n+padding(n):]
	}
	if len(options) > 0 || records {
		t.Fatal("options without an end")
	}
	return options
}

func allZero(b []byte) bool {
	return len(bytes.Trim(b, "\x00")) == 0
}

// A read is a packet as gopacket read it.
type read struct {
	data  []byte
	time  time.Time
	wire  int
	iface int
}

// gopacketRead reads everything with gopacket.
func gopacketRead(t testing.TB, b []byte) (*pcapgo.NgReader, []read) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeEthernet {
		t.Errorf("link type %v", r.LinkType())
	}
	var packets []read
	for {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			return r, packets
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(packets), err)
		}
		packets = append(packets, read{data, ci.Timestamp, ci.Length, ci.InterfaceIndex})
	}
}

// require skips a test for want of something that a machine may lack, or fails
// it where everything is promised to be there.
func require(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("ICAP_TEST_ROOT") == "1":
		t.Fatalf("ICAP_TEST_ROOT=1, but there is no %s", what)
	default:
		t.Skipf("no %s", what)
	}
}

// run runs a program that must succeed without a word on standard error, and
// returns the lines of its output.
func run(t testing.TB, name string, args ...string) []string {
	t.Helper()
	_, err := exec.LookPath(name)
	require(t, err == nil, name)
	var stdout, stderr strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var words []string
	for line := range strings.Lines(stderr.String()) {
		// What they say in every case.
		if strings.HasPrefix(line, "Running as user") ||
			strings.HasPrefix(line, "reading from file") {
			continue
		}
		words = append(words, line)
	}
	if err != nil || len(words) > 0 {
		t.Fatalf("%s %q: %v\n%s", name, args, err, strings.Join(words, ""))
	}
	if stdout.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
}

// tsharkFields returns the fields of every packet of a file, divided by '|'.
func tsharkFields(t testing.TB, path string, fields ...string) []string {
	t.Helper()
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "separator=|"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	return run(t, "tshark", args...)
}

// judgeFile has every program read a file, and compares the number of packets.
func judgeFile(t testing.TB, path string, packets uint64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	walk(t, b)
	if _, got := gopacketRead(t, b); uint64(len(got)) != packets {
		t.Errorf("gopacket reads %d packets, want %d", len(got), packets)
	}
	if got := tsharkFields(t, path, "frame.number"); uint64(len(got)) != packets {
		t.Errorf("tshark reads %d packets, want %d", len(got), packets)
	}
	if got := run(t, "tcpdump", "-nr", path); uint64(len(got)) != packets {
		t.Errorf("tcpdump reads %d packets, want %d", len(got), packets)
	}
	got := strings.Join(run(t, "capinfos", "-McT", path), "\n")
	if want := fmt.Sprintf("\t%d", packets); !strings.Contains(got, want) {
		t.Errorf("capinfos says\n%s\nwant %d packets", got, packets)
	}
}

// tempFile makes a file for a capture, which ends with the test.
func tempFile(t testing.TB) *os.File {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "out.pcapng"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
