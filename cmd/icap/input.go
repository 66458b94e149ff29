package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"icap/internal/capfile"
)

// An input is a capture file that is read.
type input struct {
	*os.File
	*capfile.Reader
	read *counter
}

// openInputs opens files and reads how they begin; - is standard input. What
// was opened before an error is returned, too.
func openInputs(paths []string) (inputs []*input, err error) {
	for _, path := range paths {
		f := os.Stdin
		if path != "-" {
			if f, err = os.Open(path); err != nil {
				return inputs, err
			}
		}
		read := &counter{from: f}
		r, err := newInput(read)
		inputs = append(inputs, &input{f, r, read})
		if err != nil {
			return inputs, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return inputs, nil
}

// newInput reads how a file begins, which may be compressed.
func newInput(f io.Reader) (*capfile.Reader, error) {
	plain, err := decompress(f)
	if err != nil {
		return nil, err
	}
	r, err := capfile.NewReader(plain)
	if err == io.EOF {
		err = errors.New("the file is empty")
	}
	return r, err
}

// zstdMemory is the most that a compressed file can make icap take for its
// window, in bytes: what the format recommends is 8 MiB.
const zstdMemory = 128 << 20

// decompress looks for the magic numbers of RFC 1952 and RFC 8878.
func decompress(f io.Reader) (io.Reader, error) {
	const looked = 64 << 10
	in := bufio.NewReaderSize(f, looked)
	magic, err := in.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdMemory))
	case err != nil && err != io.EOF:
		return nil, err
	}
	return in, nil
}

func closeInputs(inputs []*input) {
	for _, f := range inputs {
		_ = f.Close() // only read
	}
}

// blocks are those of a file, or of several in time order.
type blocks interface {
	Next() (*capfile.Block, error)
}

// merged are the blocks of all inputs.
func merged(inputs []*input) blocks {
	if len(inputs) == 1 {
		return inputs[0].Reader
	}
	readers := make([]*capfile.Reader, len(inputs))
	for i, in := range inputs {
		readers[i] = in.Reader
	}
	return capfile.NewMerger(readers...)
}
