package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A size is a flag whose value is a number of bytes: 512k, 64m, 2g, in steps
// of 1024, or a plain number of units.
type size struct {
	bytes int
	unit  int // of a number without a suffix
}

// suffixes are the units of a size, in bytes.
var suffixes = map[string]int{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

// Set reads a size, as pflag.Value.
func (s *size) Set(text string) error {
	number, unit := text, s.unit
	for suffix, u := range suffixes {
		if n, ok := strings.CutSuffix(strings.ToLower(text), suffix); ok {
			number, unit = n, u
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n > uint64(math.MaxInt/unit) {
		return fmt.Errorf("%q is not a size such as 512k, 64m or 2g", text)
	}
	s.bytes = int(n) * unit
	return nil
}

// String is the size as Set reads it, with the largest suffix that fits.
func (s *size) String() string {
	for _, suffix := range []string{"g", "m", "k"} {
		if u := suffixes[suffix]; s.bytes >= u && s.bytes%u == 0 {
			return strconv.Itoa(s.bytes/u) + suffix
		}
	}
	return strconv.Itoa(s.bytes)
}

// Type is what the help shows for the value.
func (s *size) Type() string { return "size" }
