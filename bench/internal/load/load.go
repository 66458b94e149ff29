package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Load is what is sent in one run.
type Load struct {
	// Sizes are the sizes of the frames in turn, in bytes from the Ethernet
	// header on; from 50 to 1514. The turn begins again after the last one.
	Sizes []int
	// Rate is in frames a second. Zero means as many as possible.
	Rate int
	// Count is the number of frames, below 2^31.
	Count int
}

// A Sender sends loads.
type Sender interface {
	// Send sends a load, whose frames bear the number of the run. It
	// returns how many frames were sent, and in which time. They are fewer
	// than wanted if the context ends or the rate cannot nearly be kept.
	Send(ctx context.Context, l Load, run uint32) (sent int, took time.Duration, err error)
	Close() error
}

// Uniform are the sizes of frames that are all alike.
func Uniform(size int) []int { return []int{size} }

// IMIX are the sizes of the simple Internet mix: of twelve frames seven have
// 64 bytes, four 576, and one 1500. They alternate as far as that goes.
func IMIX() []int {
	return []int{64, 576, 64, 64, 576, 64, 1500, 64, 576, 64, 64, 576}
}

// Mix names the sizes: "256 B", or "IMIX".
func (l Load) Mix() string {
	if slices.Equal(l.Sizes, IMIX()) {
		return "IMIX"
	}
	var names []string
	for _, size := range l.Sizes {
		names = append(names, fmt.Sprintf("%d B", size))
	}
	return strings.Join(names, "+")
}

func (l Load) String() string {
	switch {
	case l.Count == 0:
		return "no packets"
	case l.Rate == 0:
		return l.Mix() + ", as fast as possible"
	}
	return fmt.Sprintf("%s, %d kpps", l.Mix(), l.Rate/1000)
}

// Bytes is how many bytes all frames have together.
func (l Load) Bytes() int64 {
	var turn int64
	for _, size := range l.Sizes {
		turn += int64(size)
	}
	return turn * int64(l.Count) / int64(max(len(l.Sizes), 1))
}

// Duration is how long the load takes if the rate is kept. As many as
// possible are taken for a hundred thousand a second, which is few.
func (l Load) Duration() time.Duration {
	const few = 100_000
	rate := l.Rate
	if rate == 0 {
		rate = few
	}
	return time.Duration(float64(l.Count) / float64(rate) * float64(time.Second))
}

// patience is how long sending may take before it is given up.
func (l Load) patience() time.Duration { return 5*l.Duration() + 5*time.Second }
