//go:build linux && cgo

// Command gopacket captures as well as can be done with gopacket: its
// afpacket without copies, a ring of 64 MiB, and pcapgo's writer of pcapng.
//
//	gopacket INTERFACE FILE
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/gopacket/afpacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gopacket INTERFACE FILE")
		os.Exit(2)
	}
	if err := capture(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gopacket:", err)
		os.Exit(1)
	}
}

func capture(ifname, path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := pcapgo.NewNgWriter(f, layers.LinkTypeEthernet)
	if err != nil {
		return err
	}
	h, err := open(ifname)
	if err != nil {
		return err
	}
	defer h.Close()

	var stopped atomic.Bool
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		stopped.Store(true)
	}()
	captured, err := copyAll(h, w, &stopped)
	if err := errors.Join(err, w.Flush()); err != nil {
		return err
	}
	_, s, err := h.SocketStats()
	fmt.Fprintf(os.Stderr, "%d packets captured\n%d packets dropped by kernel\n", captured, s.Drops())
	return err
}

// open waits for packets half a second at a time, since nothing else ends the
// wait when a signal comes.
func open(ifname string) (*afpacket.TPacket, error) {
	const blockSize, blocks = 1 << 20, 64
	return afpacket.NewTPacket(
		afpacket.OptInterface(ifname),
		afpacket.OptFrameSize(4096),
		afpacket.OptBlockSize(blockSize),
		afpacket.OptNumBlocks(blocks),
		afpacket.OptBlockTimeout(100*time.Millisecond),
		afpacket.OptPollTimeout(500*time.Millisecond),
		afpacket.TPacketVersion3,
	)
}

func copyAll(h *afpacket.TPacket, w *pcapgo.NgWriter, stopped *atomic.Bool) (n uint64, err error) {
	for {
		data, info, err := h.ZeroCopyReadPacketData()
		switch {
		case errors.Is(err, afpacket.ErrTimeout):
			if stopped.Load() {
				return n, nil
			}
			continue
		case err != nil:
			return n, err
		}
		info.InterfaceIndex = 0 // of the file
		if err := w.WritePacket(info, data); err != nil {
			return n, err
		}
		n++
	}
}
