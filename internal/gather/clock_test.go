package gather_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"icap/internal/gather"
)

// A way is a connection to another machine, on which questions and answers take
// their time.
type way struct {
	io.Reader
	io.Writer
}

// late delays each write by what next says.
type late struct {
	io.Writer
	next func() time.Duration
}

func (l late) Write(b []byte) (int, error) {
	time.Sleep(l.next())
	return l.Writer.Write(b)
}

// clockAt is a clock that is ahead, at the end of a way that takes as long there
// and back as the functions say.
func clockAt(ahead func() time.Duration, there, back func() time.Duration) (c *gather.Clock, hangUp func()) {
	questions, ask := io.Pipe()
	answers, answer := io.Pipe()
	go func() {
		err := gather.Answer(questions, late{answer, back}, func() time.Time { return time.Now().Add(ahead()) })
		_ = answer.CloseWithError(err)
	}()
	return gather.NewClock(way{answers, late{ask, there}}), func() { _ = ask.Close() }
}

func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// inTurn returns one after the other, and the last again and again.
func inTurn(all ...time.Duration) func() time.Duration {
	i := 0
	return func() time.Duration {
		d := all[min(i, len(all)-1)]
		i++
		return d
	}
}

// TestMeasure measures clocks that are off by a known time, over ways that are
// uneven: the truth is within the bounds, which are those of the fastest answer.
func TestMeasure(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name        string
		ahead       time.Duration
		there, back func() time.Duration
		want, about time.Duration
	}{
		{"right", 0, always(ms), always(ms), 0, ms},
		{"ahead", 3 * time.Second, always(ms), always(ms), 3 * time.Second, ms},
		{"behind", -time.Hour, always(5 * ms), always(5 * ms), -time.Hour, 5 * ms},
		{"at once", 7 * ms, always(0), always(0), 7 * ms, 0},
		{"slow there", 0, always(9 * ms), always(ms), 4 * ms, 5 * ms},
		{"slow back", 0, always(0), always(10 * ms), -5 * ms, 5 * ms},
		{"fastest counts", 100 * ms, inTurn(80*ms, 30*ms, ms, 50*ms), always(ms), 100 * ms, ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, hangUp := clockAt(always(tt.ahead), tt.there, tt.back)
				defer hangUp()
				o, err := c.Measure()
				if err != nil {
					t.Fatal(err)
				}
				if o.Ahead != tt.want || o.Uncertainty != tt.about || !o.Measured() {
					t.Errorf("got %v, want %v by %v", o, tt.want, tt.about)
				}
				if wrong := (o.Ahead - tt.ahead).Abs(); wrong > o.Uncertainty {
					t.Errorf("%v wrong, which is more than %v", wrong, o.Uncertainty)
				}
			})
		})
	}
}

// TestWatch follows a clock that drifts, until the connection is gone.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		drift := func() time.Duration { return time.Since(began) / 1000 }
		c, hangUp := clockAt(drift, always(time.Millisecond), always(time.Millisecond))
		var found []gather.Offset
		err := c.Watch(t.Context(), time.Minute, func(o gather.Offset) {
			if found = append(found, o); len(found) == 3 {
				hangUp()
			}
		})
		if err == nil || !strings.Contains(err.Error(), "ask a clock") {
			t.Errorf("error %v", err)
		}
		for i, o := range found {
			if want := time.Duration(i) * 60 * time.Millisecond; (o.Ahead - want).Abs() > o.Uncertainty {
				t.Errorf("after %d minutes %v, want %v", i, o, want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		c, hangUp = clockAt(always(0), always(0), always(0))
		if err := c.Watch(ctx, time.Minute, func(gather.Offset) { cancel() }); err != nil {
			t.Error(err)
		}
		hangUp()
	})
}

// TestWrongAnswers has something else at the other end.
func TestWrongAnswers(t *testing.T) {
	for _, answers := range []string{"", "12", "\n", "icap: unknown command\n", strings.Repeat("1", 100) + "\n", "99999999999999999999\n"} {
		c := gather.NewClock(way{strings.NewReader(answers), io.Discard})
		if o, err := c.Measure(); err == nil {
			t.Errorf("%.30q is taken for %v", answers, o)
		}
	}
	gone := errors.New("gone")
	c := gather.NewClock(way{strings.NewReader("1\n"), broken{gone}})
	if _, err := c.Measure(); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// TestAnswer answers lines of any length, and not what is no line.
func TestAnswer(t *testing.T) {
	var out bytes.Buffer
	now := func() time.Time { return time.Unix(1, 5) }
	questions := "\nwhat time is it?\n" + strings.Repeat("long", 5000) + "\nno line"
	if err := gather.Answer(strings.NewReader(questions), &out, now); err != nil {
		t.Error(err)
	}
	if want := strings.Repeat("1000000005\n", 3); out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	gone := errors.New("gone")
	if err := gather.Answer(strings.NewReader("\n"), broken{gone}, now); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func TestOffsetString(t *testing.T) {
	for _, tt := range []struct {
		o    gather.Offset
		want string
	}{
		{gather.Offset{}, "unknown"},
		{gather.Offset{Ahead: 1_250_400, Uncertainty: 70_000, At: time.Unix(1, 0)}, "+1.25ms ±70µs"},
		{gather.Offset{Ahead: -3 * time.Second, Uncertainty: time.Second, At: time.Unix(1, 0)}, "-3s ±1s"},
		{gather.Offset{At: time.Unix(1, 0)}, "+0s ±0s"},
	} {
		if got := tt.o.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
