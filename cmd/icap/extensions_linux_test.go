package main

import (
	"testing"

	"golang.org/x/sys/unix"

	"icap/afpacket"
)

// TestExtensions checks that filters are compiled for what the kernel says that
// it has.
func TestExtensions(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	want, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BPF_EXTENSIONS)
	if err != nil {
		t.Fatal(err)
	}
	got, err := afpacket.Extensions()
	if err != nil || got != want {
		t.Fatalf("got %d, %v, want %d", got, err, want)
	}
	const present = 48 // SKF_AD_VLAN_TAG_PRESENT
	p, err := (&captureFlags{}).compile("vlan", anyMask)
	if err != nil {
		t.Fatal(err)
	}
	asks := false
	for _, ins := range p.Insns {
		asks = asks || ins.K == 0xfffff000+present
	}
	if asks != (want > present) {
		t.Errorf("the kernel has extensions up to %d, and the program asks for the tag: %v", want, asks)
	}
}
