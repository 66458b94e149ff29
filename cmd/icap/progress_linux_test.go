package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestReadProgress shows on a terminal how far reading is, if it takes long.
func TestReadProgress(t *testing.T) {
	ours, theirs := terminal(t)
	cmd := icap(t, "stitch", "-", temp(t, "out.pcapng"))
	cmd.Stderr = theirs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	stuck := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	const emptyPcap = "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00"
	if _, err := in.Write([]byte(emptyPcap)); err != nil {
		t.Fatal(err)
	}
	await := screen(t, ours)
	await(clearLine + "icap: 0 MB read")
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	await(clearLine + "icap: 0 packets")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestReadLine says how much of files was read, and of how much.
func TestReadLine(t *testing.T) {
	f, err := os.Create(temp(t, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(8e6); err != nil {
		t.Fatal(err)
	}
	in := &input{File: f, read: &counter{from: strings.NewReader("")}}
	in.read.n.Store(2e6)
	if got, want := readLine([]*input{in}), "icap: 2 of 8 MB read, 25 %"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
