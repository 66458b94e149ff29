package bpfc

import (
	"os"
	"testing"
)

// thorough reports whether tests shall look at all that they have, which takes
// minutes.
func thorough() bool { return os.Getenv("ICAP_TEST_LONG") == "1" }

// sample returns every nth element, and with ICAP_TEST_LONG=1 all of them.
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
