package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A cpuList is a flag whose value is a list of CPUs, such as 0,2,4-6.
type cpuList []int

// maxCPU is more than any kernel counts to.
const maxCPU = 8191

// Set reads a list, as pflag.Value.
func (l *cpuList) Set(text string) error {
	*l = nil
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		if err != nil || err2 != nil || first > last || last > maxCPU {
			return fmt.Errorf("%q is not a list of CPUs such as 0,2,4-6", text)
		}
		for cpu := int(first); cpu <= int(last); cpu++ {
			*l = append(*l, cpu)
		}
	}
	slices.Sort(*l)
	*l = slices.Compact(*l)
	return nil
}

// String is the list as Set reads it.
func (l *cpuList) String() string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(*l), "[]")), ",")
}

// Type is what the help shows for the value.
func (l *cpuList) Type() string { return "list" }
