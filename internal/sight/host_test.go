package sight

import (
	"testing"

	"icap/internal/capfile"
)

func TestHostOf(t *testing.T) {
	for description, want := range map[string]string{
		"node worker-1, clock +1.25ms, corrected; app and proxy": "worker-1",
		"node worker-1 #2; app and proxy; sidecar by REDIRECT":   "worker-1",
		"node worker-1":             "worker-1",
		"app and proxy; no node at": "",
		"":                          "",
	} {
		if got := hostOf(&capfile.Interface{Description: description}); got != want {
			t.Errorf("%q: %q, want %q", description, got, want)
		}
	}
}
