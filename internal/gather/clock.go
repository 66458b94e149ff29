package gather

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// An Offset is how far the clock of another machine is from that of this one.
// The zero value means that it is not known.
type Offset struct {
	// Ahead is by how much the other clock is ahead, negative if it is
	// behind.
	Ahead time.Duration
	// Uncertainty is how wrong Ahead may be, either way: half of the time
	// that question and answer took.
	Uncertainty time.Duration
	// At is when it was measured, by the clock of this machine.
	At time.Time
}

// Measured says whether the offset is known.
func (o Offset) Measured() bool { return !o.At.IsZero() }

// String is the offset in words: "+1.25ms ±70µs".
func (o Offset) String() string {
	if !o.Measured() {
		return "unknown"
	}
	return fmt.Sprintf("%+v ±%v", signed(o.Ahead.Round(time.Microsecond)), o.Uncertainty.Round(time.Microsecond))
}

// signed is a duration that shows its sign.
type signed time.Duration

// Format prints it, whatever the verb.
func (d signed) Format(f fmt.State, _ rune) {
	if d >= 0 {
		_, _ = io.WriteString(f, "+") // a fmt.State does not fail
	}
	_, _ = io.WriteString(f, time.Duration(d).String())
}

// text is the offset as it stands in the file.
func (o Offset) text() string { return "clock " + o.String() }

// longestAnswer is that of a clock, in bytes: a number of 64 bits, and the end of
// the line.
const longestAnswer = 22

// Answer is the clock's side: it answers each line that it reads with what now
// says, in nanoseconds since 1970-01-01 UTC, until the lines end.
func Answer(questions io.Reader, answers io.Writer, now func() time.Time) error {
	in := bufio.NewReader(questions)
	line := make([]byte, 0, longestAnswer)
	for {
		_, err := in.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return err
		}
		line = strconv.AppendInt(line[:0], now().UnixNano(), 10)
		if _, err := answers.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

// A Clock is that of another machine, which answers as Answer does. It is for
// one goroutine.
type Clock struct {
	out io.Writer
	in  *bufio.Reader
}

// NewClock makes a Clock of what leads to the other machine, such as the
// standard input and output of icap clock.
func NewClock(to io.ReadWriter) *Clock {
	return &Clock{to, bufio.NewReaderSize(to, 64)}
}

// rounds is how often a clock is asked for one measurement.
const rounds = 8

// Measure asks the clock several times. Of the answers the one that came
// fastest counts, because the true offset is then within the smallest bounds,
// however unequal the two ways are. To give up, close what leads to the clock.
func (c *Clock) Measure() (best Offset, err error) {
	for i := range rounds {
		o, err := c.ask()
		if err != nil {
			return Offset{}, fmt.Errorf("ask a clock: %w", err)
		}
		if i == 0 || o.Uncertainty < best.Uncertainty {
			best = o
		}
	}
	return best, nil
}

// ask asks once. The way there and back is timed by the monotonic clock, so
// that setting the wall clock meanwhile does not matter much.
func (c *Clock) ask() (o Offset, err error) {
	asked := time.Now()
	if _, err := io.WriteString(c.out, "\n"); err != nil {
		return o, err
	}
	line, err := c.in.ReadSlice('\n')
	took := time.Since(asked)
	if err != nil {
		return o, err
	}
	ns, err := strconv.ParseInt(string(line[:len(line)-1]), 10, 64)
	if err != nil {
		return o, fmt.Errorf("the answer %.24q is not a time", line)
	}
	// Half of an odd number is rounded up, so that the bounds hold.
	half := (took + 1) / 2
	return Offset{time.Unix(0, ns).Sub(asked.Round(0).Add(half)), half, asked}, nil
}

// Watch measures every so often, and passes on what it finds, until the clock
// fails or the context is done. What it measures first is passed on at once.
func (c *Clock) Watch(ctx context.Context, every time.Duration, found func(Offset)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		o, err := c.Measure()
		if err != nil {
			return err
		}
		found(o)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
