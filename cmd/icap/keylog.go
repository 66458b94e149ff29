package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
)

// maxKeyLog is more secrets than any capture needs, in bytes.
const maxKeyLog = 16 << 20

// keyLogLine is a line of a TLS key log: a label, the client's random, and a
// secret.
var keyLogLine = regexp.MustCompile(`^[A-Z][A-Z0-9_]* [0-9a-fA-F]{64} [0-9a-fA-F]+$`)

// readKeyLog reads a file of the format of SSLKEYLOGFILE, and counts its
// secrets. What is none is refused, since it would get into the capture.
func readKeyLog(path string) (lines []byte, secrets int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, maxKeyLog+1))
	if err != nil {
		return nil, 0, err
	}
	if len(all) > maxKeyLog {
		return nil, 0, fmt.Errorf("%s: more than %d bytes", path, maxKeyLog)
	}
	n := 0
	for line := range bytes.Lines(all) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if !keyLogLine.Match(line) {
			return nil, 0, fmt.Errorf("%s: line %d is not that of a TLS key log: LABEL CLIENT_RANDOM SECRET", path, n)
		}
		secrets++
		lines = append(append(lines, line...), '\n')
	}
	if secrets == 0 {
		return nil, 0, fmt.Errorf("%s has no secrets", path)
	}
	return lines, secrets, nil
}
