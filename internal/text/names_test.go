package text

import (
	"net/netip"
	"strings"
	"testing"
)

// TestNames: hosts have their names, other addresses stay, and nothing in a
// name reaches the terminal.
func TestNames(t *testing.T) {
	p := New(Options{Time: TimeNone, Numeric: true})
	p.Name(netip.MustParseAddr("::ffff:127.0.0.6"), "proxy\x1b[2J")
	p.Name(netip.MustParseAddr("fe80::a:0:0:2%eth0"), strings.Repeat("n", 300))
	for _, s := range samples(t) {
		got := string(p.Append(nil, testTime, "", s.frame, len(s.frame)))
		checkLine(t, got)
		want := strings.NewReplacer(
			"127.0.0.6.", `proxy\x1b[2J.`, "127.0.0.6 > ", `proxy\x1b[2J > `,
			"> fe80::a:0:0:2", "> "+strings.Repeat("n", maxLine)).Replace(s.want)
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", s.name, got, want)
		}
	}
}
