package peer

import (
	"fmt"
	"regexp"
	"strconv"
)

// Counts are what a program says at its end.
type Counts struct {
	Captured uint64
	Dropped  uint64 // by the kernel or by itself
	// Blind is set for a program that does not know what was dropped.
	Blind bool
}

var (
	capturedLine = regexp.MustCompile(`(?m)^(\d+) packets? captured`)
	droppedLine  = regexp.MustCompile(`(?m)^(\d+) packets? dropped by kernel`)

	dumpcapCaptured = regexp.MustCompile(`Packets captured: (\d+)`)
	dumpcapDropped  = regexp.MustCompile(`Packets received/dropped on interface '[^']*': \d+/(\d+)`)

	netsniffPassed = regexp.MustCompile(`(\d+)\s+packets passed filter`)
	netsniffFailed = regexp.MustCompile(`(\d+)\s+packets failed filter \(out of space\)`)
)

// tcpdumpCounts reads the lines that tcpdump prints, and others after its
// example.
func tcpdumpCounts(words string) (Counts, error) {
	return read(words, capturedLine, droppedLine)
}

// blindCounts reads those lines of a program that has no second one.
func blindCounts(words string) (Counts, error) {
	c, err := read(words, capturedLine, capturedLine)
	return Counts{Captured: c.Captured, Blind: true}, err
}

func dumpcapCounts(words string) (Counts, error) {
	return read(words, dumpcapCaptured, dumpcapDropped)
}

// netsniffCounts: netsniff-ng says first how many packets came, and then how
// many of them found no room.
func netsniffCounts(words string) (Counts, error) {
	return read(words, netsniffPassed, netsniffFailed)
}

func read(words string, captured, dropped *regexp.Regexp) (c Counts, err error) {
	if c.Captured, err = number(words, captured); err == nil {
		c.Dropped, err = number(words, dropped)
	}
	return c, err
}

func number(words string, line *regexp.Regexp) (uint64, error) {
	m := line.FindStringSubmatch(words)
	if m == nil {
		return 0, fmt.Errorf("no count like %q at the end of:\n%s", line, words)
	}
	return strconv.ParseUint(m[1], 10, 64)
}
