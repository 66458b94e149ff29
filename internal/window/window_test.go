package window

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A list notes what becomes of numbered packets.
type list struct {
	passed, dropped []int
	fault           error
}

func (l *list) Pass(n *int, data []byte) error {
	if l.fault != nil {
		return l.fault
	}
	if want := payload(*n); string(data) != string(want) {
		return fmt.Errorf("packet %d has the data of another one", *n)
	}
	l.passed = append(l.passed, *n)
	return nil
}

func (l *list) Drop(n *int) { l.dropped = append(l.dropped, *n) }

// payload is what packet n contains.
func payload(n int) []byte {
	return []byte(strings.Repeat(fmt.Sprint(n, " "), 1+n%50))
}

func TestWindow(t *testing.T) {
	for _, test := range []struct {
		name   string
		config Config
		times  []int64 // of packets 0, 1, ..., and of events where negative
		passed string
		opens  string // for each event
	}{
		{"around one event", Config{Before: 2, After: 3}, []int64{1, 2, 3, 4, -5, 5, 6, 8, 9, 20}, "[2 3 4 5 6]", "[true]"},
		{"no event", Config{Before: 2, After: 3}, []int64{1, 2, 3}, "[]", "[]"},
		{"nothing before", Config{After: 3}, []int64{1, 2, -3, 3, 6, 7}, "[2 3]", "[true]"},
		{"nothing after", Config{Before: 2}, []int64{1, 2, -3, 3, 4}, "[0 1 2]", "[true]"},
		{"windows that touch", Config{Before: 2, After: 2}, []int64{-3, 3, 4, 6, 7, -7, 7, 9, 10}, "[0 1 2 3 4 5]", "[true false]"},
		{"a gap", Config{Before: 2, After: 2}, []int64{-3, 3, 4, 6, 8, -9, 9, 11, 12}, "[0 1 3 4 5]", "[true true]"},
		{"an event within a window", Config{Before: 2, After: 2}, []int64{-3, 3, -4, 4, 6, 7}, "[0 1 2]", "[true false]"},
		{"an event told late", Config{Before: 2, After: 2, Late: 3}, []int64{1, 3, 4, 5, 7, 9, -6, 10}, "[2 3 4]", "[true]"},
		{"an event told early", Config{Before: 2, After: 2}, []int64{1, 3, -6, 4, 8, 9}, "[2 3]", "[true]"},
		{"the order is not that of time", Config{Before: 2, After: 2}, []int64{5, 3, 6, -6, 6, 3, 7}, "[0 2 3 5]", "[true]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var l list
			w := New(test.config, &l)
			n := 0
			opens := []bool{}
			for _, at := range test.times {
				if at < 0 {
					would := w.Opens(-at)
					does, err := w.Event(-at)
					if err != nil || does != would {
						t.Fatal(would, does, err)
					}
					opens = append(opens, does)
					continue
				}
				if err := w.Take(at, &n, payload(n)); err != nil {
					t.Fatal(err)
				}
				n++
			}
			w.Clear()
			if got := fmt.Sprint(l.passed); got != test.passed {
				t.Errorf("passed %s, want %s", got, test.passed)
			}
			if got := fmt.Sprint(opens); got != test.opens {
				t.Errorf("opened %s, want %s", got, test.opens)
			}
			if len(l.passed)+len(l.dropped) != n || w.Evicted() != 0 {
				t.Errorf("%d passed, %d dropped of %d; %d evicted", len(l.passed), len(l.dropped), n, w.Evicted())
			}
		})
	}
}

// TestMemory holds more than there is memory for: the youngest packets stay,
// and memory is used well, whatever the size of the packets.
func TestMemory(t *testing.T) {
	const memory = 8 << 20
	for _, size := range []func() int{
		func() int { return 60 },
		func() int { return 1500 },
		func() int { return 262144 },
		func() int { return rand.IntN(65536) },
		func() int { return 1 << rand.IntN(19) },
	} {
		var l sizes
		w := New(Config{Before: time.Hour, Memory: memory}, &l)
		buf := make([]byte, 1<<19)
		for i := range 100_000 {
			n := size()
			if err := w.Take(int64(i), &i, buf[:n]); err != nil {
				t.Fatal(err)
			}
			if w.Size() > memory {
				t.Fatalf("%d bytes are taken", w.Size())
			}
			if i > 90_000 && i%1000 == 0 && w.Evicted() == 0 {
				t.Fatal("nothing was evicted")
			}
			if l.bytes += n; l.bytes > 50*memory {
				break
			}
		}
		if _, err := w.Event(1 << 50); err != nil {
			t.Fatal(err)
		}
		if l.passed != 0 {
			t.Error("packets of another time were passed on")
		}
		held := l.dropped - int(w.Evicted())
		if l.last-held+1 != int(w.Evicted()) {
			t.Errorf("%d evicted, %d held of %d", w.Evicted(), held, l.last+1)
		}
	}
}

// sizes counts.
type sizes struct{ passed, dropped, last, bytes int }

func (s *sizes) Pass(*int, []byte) error { s.passed++; return nil }
func (s *sizes) Drop(n *int)             { s.dropped++; s.last = *n }

// TestLarger has a packet that is larger than the window.
func TestLarger(t *testing.T) {
	var l list
	w := New(Config{Before: time.Hour}, &l)
	one, two, three := 1, 2, 3
	if err := errors.Join(w.Take(1, &one, payload(1)), w.Take(2, &two, make([]byte, MinMemory)), w.Take(3, &three, payload(3))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Event(4); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(l) != "{[3] [1 2] <nil>}" || w.Evicted() != 2 {
		t.Errorf("%v, %d evicted", l, w.Evicted())
	}
}

// TestFault passes an error on.
func TestFault(t *testing.T) {
	l := list{fault: errors.New("full")}
	w := New(Config{Before: 1}, &l)
	one := 1
	if err := w.Take(1, &one, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Event(1); !errors.Is(err, l.fault) {
		t.Error(err)
	}
}

// TestAllocations holds packets for a second of their time, again and again.
func TestAllocations(t *testing.T) {
	var l sizes
	w := New(Config{Before: time.Second, After: time.Millisecond, Memory: 64 << 20}, &l)
	data := make([]byte, 1500)
	at := int64(0)
	about := 0
	step := func() {
		for i := range 20_000 {
			at += int64(time.Millisecond) / 10
			if i == 10_000 {
				if _, err := w.Event(at); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Take(at, &about, data[:60+i%1440]); err != nil {
				t.Fatal(err)
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(5, step); n > 0 {
		t.Errorf("%v allocations in 20000 packets", n)
	}
	if w.Evicted() > 0 || l.passed == 0 {
		t.Errorf("%d evicted, %d passed", w.Evicted(), l.passed)
	}
}

// BenchmarkHold is a packet that is held, and dropped later.
func BenchmarkHold(b *testing.B) {
	var l sizes
	w := New(Config{Before: 10 * time.Millisecond, Memory: 64 << 20}, &l)
	data := make([]byte, 1500)
	about, at := 0, int64(0)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		at += 1000
		if err := w.Take(at, &about, data); err != nil {
			b.Fatal(err)
		}
	}
}
