package main

import (
	"fmt"
	"testing"
	"time"

	"icap/afpacket"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "7": 7 << 10, "4096": 4 << 20, "512k": 512 << 10, "64m": 64 << 20, "64M": 64 << 20, "2g": 2 << 30,
	} {
		s := size{unit: 1 << 10}
		if err := s.Set(text); err != nil || s.bytes != want {
			t.Errorf("%s: %d, %v; want %d", text, s.bytes, err, want)
		}
		again := size{unit: 1}
		if err := again.Set(s.String()); err != nil || again.bytes != want {
			t.Errorf("%s, printed as %s: %d, %v", text, &s, again.bytes, err)
		}
	}
	for _, text := range []string{"", "k", "-1", "1.5m", "64mb", "9999999999999999999", "9223372036854775807k"} {
		if err := (&size{unit: 1}).Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestCPUList(t *testing.T) {
	for text, want := range map[string]string{
		"0": "[0]", "2,0": "[0 2]", "4-6,1": "[1 4 5 6]", "1,1-2": "[1 2]",
	} {
		var l cpuList
		if err := l.Set(text); err != nil || fmt.Sprint([]int(l)) != want {
			t.Errorf("%s: %v, %v; want %s", text, []int(l), err, want)
		}
	}
	for _, text := range []string{"", "a", "1-", "-1", "3-1", "1,,2", "9000"} {
		if err := new(cpuList).Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestUnhurried(t *testing.T) {
	for blocks, want := range map[int]time.Duration{
		2: 2 * fileTimeout, 8: 2 * fileTimeout, 12: fileTimeout * 4 / 3, 16: fileTimeout, 64: fileTimeout,
	} {
		if got := unhurried(afpacket.Geometry{BlockSize: 1 << 20, Blocks: blocks}); got != want {
			t.Errorf("%d blocks: %v, want %v", blocks, got, want)
		}
	}
}

func TestRingGeometry(t *testing.T) {
	for _, test := range []struct {
		flags ringFlags
		usual afpacket.Geometry
		want  string
	}{
		{ringFlags{}, afpacket.DefaultGeometry, "16 x 1024 KiB"},
		{ringFlags{}, afpacket.PodGeometry, "8 x 256 KiB"},
		{ringFlags{buffer: size{bytes: 64 << 20}}, afpacket.DefaultGeometry, "8 x 8192 KiB"},
		{ringFlags{buffer: size{bytes: 256 << 20}, fanout: 2}, afpacket.PodGeometry, "16 x 8192 KiB"},
		{ringFlags{buffer: size{bytes: 64 << 20}}, afpacket.LargeGeometry, "16 x 4096 KiB"},
		{ringFlags{buffer: size{bytes: 64<<20 - 1}}, afpacket.DefaultGeometry, "63 x 1024 KiB"},
		{ringFlags{buffer: size{bytes: 64 << 20}, blockSize: size{bytes: 1 << 20}}, afpacket.DefaultGeometry, "64 x 1024 KiB"},
		{ringFlags{buffer: size{bytes: 64 << 20}, fanout: 4}, afpacket.DefaultGeometry, "16 x 1024 KiB"},
		{ringFlags{buffer: size{bytes: 64 << 20}, blockSize: size{bytes: 4 << 20}}, afpacket.PodGeometry, "16 x 4096 KiB"},
		{ringFlags{blockSize: size{bytes: 4 << 20}}, afpacket.DefaultGeometry, "4 x 4096 KiB"},
		{ringFlags{blockSize: size{bytes: 4 << 20}}, afpacket.PodGeometry, "2 x 4096 KiB"},
		{ringFlags{blocks: 8}, afpacket.DefaultGeometry, "8 x 1024 KiB"},
	} {
		if got := test.flags.geometry(test.usual).String(); got != test.want {
			t.Errorf("%+v: %s, want %s", test.flags, got, test.want)
		}
	}
}
