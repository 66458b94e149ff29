package bpfc

import (
	"os"
	"testing"
	"time"
)

// thorough reports whether the tests against tcpdump shall look at all that
// they have, and at many more sentences. That takes minutes.
func thorough() bool { return os.Getenv("ICAP_TEST_LONG") == "1" }

// amount is how many random sentences to try where n are usual.
func amount(n int) int {
	switch {
	case thorough():
		return 20 * n
	case testing.Short():
		return n / 4
	}
	return n
}

// sample returns every nth element, and in thorough tests all of them.
func sample[T any](all []T, n int) []T {
	if thorough() {
		return all
	}
	if testing.Short() {
		n *= 4
	}
	var some []T
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// patience is when a test stops asking tcpdump for more.
func patience() time.Time {
	if thorough() {
		return time.Now().Add(5 * time.Minute)
	}
	return time.Now().Add(8 * time.Second)
}
