package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
)

// A format opens a capture file for reading. The readers are not icap's own,
// so that a fault in its writer cannot hide.
type format func(io.Reader) (gopacket.ZeroCopyPacketDataSource, error)

func pcap(r io.Reader) (gopacket.ZeroCopyPacketDataSource, error) {
	return pcapgo.NewReader(r)
}

func pcapng(r io.Reader) (gopacket.ZeroCopyPacketDataSource, error) {
	return pcapgo.NewNgReader(r, pcapgo.DefaultNgReaderOptions)
}

// A verdict says what is in a file.
type verdict struct {
	Packets uint64 // different frames of the run, each as it was sent
	Missing uint64 // frames of the run that are not there

	Duplicate uint64 // frames that are there once more
	Unordered uint64 // frames behind a later one
	Damaged   uint64 // frames of the load that are not as they were sent
	Foreign   uint64 // what nobody here has sent

	Bytes int64 // size of the file
}

// fault is why the file is wrong, whatever the kernel dropped.
func (v *verdict) fault() error {
	if v.Duplicate+v.Unordered+v.Damaged+v.Foreign == 0 {
		return nil
	}
	return fmt.Errorf("file has %d duplicate, %d unordered, %d damaged and %d foreign packets",
		v.Duplicate, v.Unordered, v.Damaged, v.Foreign)
}

// checkFile compares a file with the frames 0 to sent-1 of frame's run.
func checkFile(path string, open format, frame []byte, sent int) (verdict, error) {
	f, err := os.Open(path)
	if err != nil {
		return verdict{}, err
	}
	defer f.Close()
	v, err := check(bufio.NewReaderSize(f, 1<<20), open, frame, sent)
	if err != nil {
		return verdict{}, fmt.Errorf("read %s: %w", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		return verdict{}, err
	}
	v.Bytes = st.Size()
	return v, nil
}

func check(r io.Reader, open format, frame []byte, sent int) (verdict, error) {
	source, err := open(r)
	if err != nil {
		return verdict{}, err
	}
	var v verdict
	seen := make([]bool, sent)
	next := 0
	for {
		data, info, err := source.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			v.Missing = uint64(sent) - v.Packets
			return v, nil
		}
		if err != nil {
			return v, fmt.Errorf("after %d packets: %w", v.Packets, err)
		}
		if !isLoad(data) {
			v.Foreign++
			continue
		}
		if info.Length != len(frame) || !sameRun(frame, data) || int64(sequence(data)) >= int64(sent) {
			v.Damaged++
			continue
		}
		n := int(sequence(data))
		if seen[n] {
			v.Duplicate++
			continue
		}
		if n < next {
			v.Unordered++
		}
		seen[n] = true
		next = max(next, n+1)
		v.Packets++
	}
}
