package main

import (
	"errors"
	"strconv"
)

// A packetCount is a flag whose value is how many packets to take, at least one;
// 0 is without a limit, and not to be said.
type packetCount uint64

// Set reads a number, as pflag.Value.
func (c *packetCount) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return errors.New("it is not a number of packets, such as 10")
	}
	*c = packetCount(n)
	return nil
}

// String is the number as Set reads it.
func (c *packetCount) String() string {
	if *c == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*c), 10)
}

// Type is what the help shows for the value.
func (c *packetCount) Type() string { return "count" }
