package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"icap/bench/internal/check"
)

// icaps are icap writing by copying, and writing directly from the ring. An
// icap that has no choice of it copies, and is the first of the two.
func icaps(path string) []Peer {
	ringKiB := strconv.Itoa(RingMiB << 10)
	var way []string
	choice := hasWrite(path)
	if choice == nil {
		way = []string{"--write", "copy"}
	}
	copying := Peer{
		Name:    Icap,
		Note:    fmt.Sprintf("icap -B %s -w, copying into batches", ringKiB),
		Program: path,
		Args: func(ifname, file string) []string {
			return append([]string{"-n", "-B", ringKiB, "-i", ifname, "-w", file}, way...)
		},
		Many: func(file string) []string {
			return append([]string{"-n", "-B", strconv.Itoa(ManyRingKiB), "-i", "any", "-w", file}, way...)
		},
		Format:  check.Pcapng,
		Count:   tcpdumpCounts,
		Retire:  500 * time.Millisecond,
		Ring:    RingMiB * mib,
		Version: []string{"--version"},
		Ours:    true,
		Garbage: true,
	}
	direct := copying
	direct.Name = Direct
	direct.Note = fmt.Sprintf("icap -B %s --write direct -w, from the ring without a copy", ringKiB)
	direct.Args = func(ifname, file string) []string {
		return []string{"-n", "-B", ringKiB, "--write", "direct", "-i", ifname, "-w", file}
	}
	direct.Many = nil
	if choice != nil {
		direct.Ours = false
		direct.Build = func(context.Context, string) (string, error) { return "", choice }
	}
	return []Peer{copying, direct}
}

// hasWrite says why an icap cannot be told how to write, or nil.
func hasWrite(path string) error {
	help, err := exec.Command(path, "--help").Output()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s --help: %w", Icap, err)
	}
	if !bytes.Contains(help, []byte("--write ")) {
		return errors.New("this icap has no --write")
	}
	return nil
}
