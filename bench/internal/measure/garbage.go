package measure

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"icap/bench/internal/peer"
)

// Garbage runs a job with a Go program that tells of every collection of
// garbage, and counts those after it was ready. Percent is GOGC: at 100 a
// collection comes after some MiB of allocations, at 1 already after some
// tens of KiB.
func (b *Bench) Garbage(ctx context.Context, p *peer.Peer, j Job, percent int) Result {
	r, c, err := b.run(ctx, p, j, "GODEBUG=gctrace=1", fmt.Sprintf("GOGC=%d", percent))
	if err != nil {
		r.Fault = err
		return r
	}
	r.GCs, r.Fault = collections(c.Output(), c.Ready.Sub(c.Started))
	return r
}

// gc 1 @0.012s 3%: ...
var collectionLine = regexp.MustCompile(`(?m)^gc \d+ @([0-9.]+)s `)

// collections counts the lines of gctrace from a time after the start on. The
// program's own clock starts a little later than its process.
func collections(words string, after time.Duration) (n int, err error) {
	for _, m := range collectionLine.FindAllStringSubmatch(words, -1) {
		at, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, err
		}
		if at > after.Seconds() {
			n++
		}
	}
	return n, nil
}
