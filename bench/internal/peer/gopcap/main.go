// Command gopcap captures with go-pcap's ring and pcapgo's writer of pcapng.
//
//	gopcap INTERFACE FILE
package main

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/packetcap/go-pcap"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gopcap INTERFACE FILE")
		os.Exit(2)
	}
	if err := capture(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gopcap:", err)
		os.Exit(1)
	}
}

func capture(ifname, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := pcapgo.NewNgWriter(f, layers.LinkTypeEthernet)
	if err != nil {
		return err
	}
	const snaplen, promiscuous = 262144, true
	h, err := pcap.OpenLive(ifname, snaplen, promiscuous, 0, pcap.DefaultSyscalls)
	if err != nil {
		return err
	}
	s := &sink{writer: w}
	failed := make(chan error, 1)
	go func() { failed <- s.take(h) }()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return s.end()
	}
}

// A sink is where packets go. Its lock is for the end: a reader of go-pcap
// that waits for packets cannot be woken up, so it is left waiting.
type sink struct {
	mu     sync.Mutex
	writer *pcapgo.NgWriter
	count  uint64
}

func (s *sink) take(h *pcap.Handle) error {
	for {
		data, from, err := h.ReadPacketData()
		if err != nil {
			return err
		}
		if data == nil { // a block without packets
			continue
		}
		s.mu.Lock()
		s.count++
		err = s.writer.WritePacket(gopacket.CaptureInfo{
			Timestamp:     from.Timestamp,
			CaptureLength: from.CaptureLength,
			Length:        from.Length,
		}, data)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (s *sink) end() error {
	s.mu.Lock() // and never unlocked: nothing is written behind the end
	fmt.Fprintf(os.Stderr, "%d packets captured\n", s.count)
	return s.writer.Flush()
}
