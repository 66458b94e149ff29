package plain

import (
	"strings"
	"testing"
)

// FuzzText: nothing that is shown talks to a terminal or begins a line.
func FuzzText(f *testing.F) {
	f.Add("eth0")
	f.Add("a\x1b[2J\r\nb\x9b\u202e\x7f\xff")
	f.Fuzz(func(t *testing.T, s string) {
		p := Text(s)
		if strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is shown as %q", s, p)
		}
	})
}

func TestFigures(t *testing.T) {
	for got, want := range map[string]string{
		Bytes(999): "999 B", Bytes(1234): "1.23 kB", Bytes(5e13): "50 TB",
		Duration(1_234_567): "1.235ms", Duration(1_234_567_890): "1.235s", Duration(0): "0s",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
