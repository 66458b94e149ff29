package text

import (
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"icap/internal/flow"
)

// conversation is two connections, one of which began before, and what is
// captured of a cut packet.
func conversation(t *testing.T) (frames [][]byte) {
	t.Helper()
	segment := func(up bool, port layers.TCPPort, seq, ack uint32, flags string, data string, options ...layers.TCPOption) {
		ip := ip4(layers.IPProtocolTCP)
		tcp := &layers.TCP{SrcPort: port, DstPort: 80, Seq: seq, Ack: ack, Window: 512, Options: options}
		if !up {
			ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
			tcp.SrcPort, tcp.DstPort = tcp.DstPort, tcp.SrcPort
		}
		tcp.SYN, tcp.ACK = strings.Contains(flags, "S"), strings.Contains(flags, "A")
		tcp.FIN, tcp.PSH = strings.Contains(flags, "F"), strings.Contains(flags, "P")
		frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv4), ip, tcp, gopacket.Payload(data)))
	}
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop}
	sack := layers.TCPOption{OptionType: layers.TCPOptionKindSACK, OptionLength: 10, OptionData: []byte{0, 0, 4, 0, 0, 0, 4, 9}}
	segment(true, 40000, 100, 0, "S", "")
	segment(false, 40000, 900, 101, "SA", "")
	segment(true, 40000, 101, 901, "A", "")
	segment(true, 40000, 101, 901, "AP", "hello\r\nworld\x01\x7f\r")
	segment(false, 40000, 901, 115, "A", "", nop, nop, sack)
	segment(true, 40000, 115, 901, "A", "", nop, nop, sack)
	segment(false, 40000, 901, 115, "AF", "bye")
	segment(false, 40001, 7000, 8000, "AP", "older than the capture")
	segment(true, 40001, 8000, 7022, "A", "")
	segment(true, 40000, 50000, 0, "S", "") // again
	segment(false, 40000, 60000, 50001, "SA", "")
	segment(true, 40000, 50001, 60001, "AP", "x")
	wrong := append([]byte(nil), frames[3]...)
	wrong[24], wrong[50] = 1, 2 // both checksums
	frames = append(frames, wrong)
	udp := &layers.UDP{SrcPort: 5000, DstPort: 6000}
	frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp, gopacket.Payload("datagram")))
	wrong = append([]byte(nil), frames[len(frames)-1]...)
	wrong[40] ^= 1
	none := append([]byte(nil), wrong...)
	none[40], none[41] = 0, 0
	frames = append(frames, wrong, none,
		frame(t, ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolUDP), udp, gopacket.Payload("datagram")))
	return frames
}

// TestTcpdumpConversation compares all of the output with that of the
// original: numbers that are counted from a connection's beginning, times that
// are counted from other packets, and dumps.
func TestTcpdumpConversation(t *testing.T) {
	frames := conversation(t)
	at := func(i int) time.Time { return testTime.Add(time.Duration(i*i) * 1234567890) }
	path := captured(t, frames, at)
	for _, test := range []struct {
		flags   string
		options Options
	}{
		{"-n", Options{Relative: true}},
		{"-nq", Options{Relative: true, Quick: true}},
		{"-nttt", Options{Relative: true, Time: TimeDelta}},
		{"-nttttt", Options{Relative: true, Time: TimeSince}},
		{"-nv", Options{Relative: true, Verbose: 1}},
		{"-nvv", Options{Relative: true, Verbose: 2}},
		{"-nvvK", Options{Relative: true, Verbose: 2, NoChecksums: true}},
		{"-nx", Options{Relative: true, Dump: HexDump}},
		{"-nxx", Options{Relative: true, Dump: HexDump, DumpLink: true}},
		{"-nX", Options{Relative: true, Dump: BothDump}},
		{"-nXX", Options{Relative: true, Dump: BothDump, DumpLink: true}},
		{"-nA", Options{Relative: true, Dump: TextDump}},
	} {
		test.options.Numeric = true
		p := New(test.options)
		var got []byte
		for i, frame := range frames {
			got = p.Append(got, at(i), "", frame, len(frame))
			got = append(p.AppendDump(got, flow.LinkEthernet, frame), '\n')
		}
		want := strings.Join(tcpdump(t, test.flags, path), "\n") + "\n"
		// tcpdump says more of what port 80 carries, on lines of its own.
		want = strings.ReplaceAll(want, ": HTTP\n", "\n")
		if string(got) != want {
			t.Errorf("%s\n got\n%s\nwant\n%s", test.flags, got, want)
		}
	}
}
