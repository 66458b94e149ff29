package netdb

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzTable: an entry has words of one line and of no comment, and what a value
// is read as can be written as that value again.
func FuzzTable(f *testing.F) {
	f.Add("http 80/tcp www # web\n", false)
	f.Add("loopback 127\nlink-local 169.254.0.0\n", false)
	f.Add("0:1:22:aB:c:d web.shop\n", true)
	f.Fuzz(func(t *testing.T, text string, valueFirst bool) {
		for _, e := range parse(text, valueFirst) {
			for _, word := range append(e.names, e.value) {
				if word == "" || len(strings.Fields(word)) != 1 || strings.ContainsRune(word, '#') || !strings.Contains(text, word) {
					t.Errorf("word %q", word)
				}
			}
			if p, ok := network(e.value); ok && !p.IsValid() {
				t.Errorf("%q is %v", e.value, p)
			}
			if s, ok := service(e.value); ok && !strings.Contains(e.value, fmt.Sprint(s.Port)) {
				t.Errorf("%q is %+v", e.value, s)
			}
			if mac, ok := ether(e.value); ok {
				again, ok := ether(fmt.Sprintf("%x:%x:%x:%x:%x:%x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]))
				if !ok || again != mac {
					t.Errorf("%q is %x, and then %x", e.value, mac, again)
				}
			}
		}
	})
}
