// Package check reads capture files back and compares every packet in them
// with what was sent. The readers are not icap's own, so that a fault in its
// writer cannot hide.
package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"icap/bench/internal/load"
)

// A Verdict says what is in a file.
type Verdict struct {
	Packets uint64 // different frames of the run, each as it was sent
	Missing uint64 // frames of the run that are not there

	Duplicate uint64 // frames that are there once more
	Unordered uint64 // frames behind a later one
	Damaged   uint64 // frames of the load that are not as they were sent
	Foreign   uint64 // what nobody here has sent

	Bytes int64 // size of the file

	First time.Time // when the first packet of the run was captured
}

// Fault is why the file is wrong, whatever the kernel dropped.
func (v *Verdict) Fault() error {
	if v.Duplicate+v.Unordered+v.Damaged+v.Foreign == 0 {
		return nil
	}
	return fmt.Errorf("file has %d duplicate, %d unordered, %d damaged and %d foreign packets",
		v.Duplicate, v.Unordered, v.Damaged, v.Foreign)
}

// File compares a file with the frames 0 to sent-1 of a run.
func File(path string, open Format, frames *load.Frames, sent int) (Verdict, error) {
	f, err := os.Open(path)
	if err != nil {
		return Verdict{}, err
	}
	defer f.Close()
	v, err := check(bufio.NewReaderSize(f, 1<<20), open, frames, sent)
	if err != nil {
		return Verdict{}, fmt.Errorf("read %s: %w", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		return Verdict{}, err
	}
	v.Bytes = st.Size()
	return v, nil
}

func check(r io.Reader, open Format, frames *load.Frames, sent int) (Verdict, error) {
	source, err := open(r)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	seen := make([]bool, sent)
	next := uint32(0)
	for {
		data, info, err := source.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			v.Missing = uint64(sent) - v.Packets
			return v, nil
		}
		if err != nil {
			return v, fmt.Errorf("after %d packets: %w", v.Packets, err)
		}
		if !load.IsLoad(data) {
			v.Foreign++
			continue
		}
		n, ok := frames.Number(data)
		if !ok || info.Length != len(data) || int64(n) >= int64(sent) {
			v.Damaged++
			continue
		}
		if seen[n] {
			v.Duplicate++
			continue
		}
		if n < next {
			v.Unordered++
		}
		if v.Packets == 0 {
			v.First = info.Timestamp
		}
		seen[n] = true
		next = max(next, n+1)
		v.Packets++
	}
}
