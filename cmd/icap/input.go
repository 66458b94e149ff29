package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"icap/internal/capfile"
)

// An input is a capture file that is read.
type input struct {
	*os.File
	*capfile.Reader
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
		r, err := capfile.NewReader(f)
		inputs = append(inputs, &input{f, r})
		if err == io.EOF {
			err = errors.New("the file is empty")
		}
		if err != nil {
			return inputs, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return inputs, nil
}
