package check

import (
	"io"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
)

// A Format opens a capture file for reading.
type Format func(io.Reader) (gopacket.ZeroCopyPacketDataSource, error)

// Pcap is the format of tcpdump, with time stamps in microseconds or
// nanoseconds.
func Pcap(r io.Reader) (gopacket.ZeroCopyPacketDataSource, error) {
	return pcapgo.NewReader(r)
}

// Pcapng is the format of dumpcap and icap.
func Pcapng(r io.Reader) (gopacket.ZeroCopyPacketDataSource, error) {
	return pcapgo.NewNgReader(r, pcapgo.DefaultNgReaderOptions)
}
