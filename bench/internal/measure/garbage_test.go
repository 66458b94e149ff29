package measure

import (
	"testing"
	"time"
)

func TestCollections(t *testing.T) {
	const words = `gc 1 @0.004s 2%: 0.01+0.2+0.001 ms clock, 0->0->0 MB, 4 MB goal, 1 P
icap: listening on cap0
gc 2 @0.029s 2%: 0.01+0.2+0.001 ms clock, 3->3->0 MB, 4 MB goal, 1 P
gc 3 @10.500s 2%: 0.01+0.2+0.001 ms clock, 3->3->0 MB, 4 MB goal, 1 P
5 packets captured
`
	for after, want := range map[time.Duration]int{0: 3, 20 * time.Millisecond: 2, time.Second: 1, time.Minute: 0} {
		if got, err := collections(words, after); got != want || err != nil {
			t.Errorf("after %s: got %d, %v, want %d", after, got, err, want)
		}
	}
}
