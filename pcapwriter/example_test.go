package pcapwriter_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"icap/pcapwriter"
)

// A capture of one interface. The writer's error is the only one that needs to
// be looked at, since it stays; and Stats tell what became of the packets.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	f, err := pcapwriter.Create(filepath.Join(dir, "out.pcapng"), false)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	w, err := pcapwriter.NewWriter(f, &pcapwriter.Header{
		Section: pcapwriter.Section{Application: "example"},
		Interfaces: []pcapwriter.Interface{
			{Name: "lo", LinkType: 1, Snaplen: 262144},
		},
	}, pcapwriter.Config{})
	if err != nil {
		log.Fatal(err)
	}

	frame := make([]byte, 60)
	w.WritePacket(&pcapwriter.Packet{
		Time:      time.Now().UnixNano(),
		Data:      frame,
		Len:       len(frame),
		Direction: pcapwriter.Inbound,
	})
	w.WriteStatistics(&pcapwriter.Statistics{
		Time:      time.Now().UnixNano(),
		Received:  1,
		Delivered: 1,
	})
	if err := w.Close(); errors.Is(err, syscall.ENOSPC) {
		fmt.Println("the disk is full:", err)
	} else if err != nil {
		log.Fatal(err)
	}

	stats := w.Stats()
	fmt.Println(stats.Packets, "packets written,", stats.Lost, "lost")
	// Output: 1 packets written, 0 lost
}

// A block is appended to whatever is there already.
func ExampleAppendPacket() {
	b := make([]byte, 0, 4096)
	b = pcapwriter.AppendPacket(b, &pcapwriter.Packet{Data: []byte("abc")})
	b = pcapwriter.AppendPacket(b, &pcapwriter.Packet{Data: []byte("abcde")})
	fmt.Println(len(b))
	// Output: 76
}
