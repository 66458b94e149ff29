package text

import (
	"strings"
	"testing"
)

// TestColours: every label has its own colour, and resets stand out. What is in
// packets and names gets no colour by itself.
func TestColours(t *testing.T) {
	p := New(Options{Time: TimeNone, Colour: true, Numeric: true})
	frames := map[string][]byte{}
	for _, s := range samples(t) {
		frames[s.name] = s.frame
	}
	const ends = "IP 127.0.0.6.41234 > 10.244.0.5.9080: "
	for _, test := range []struct{ label, frame, want string }{
		{"lo", "udp", "\x1b[36mlo\x1b[0m IP 127.0.0.6.5000 > 10.244.0.5.6000: UDP, length 5"},
		{"eth0", "unknown option", "\x1b[32meth0\x1b[0m " + ends + "\x1b[31mFlags [R]\x1b[0m, seq 1, win 512, options [unknown-200 0x0102], length 0"},
		{"lo", "all flags", "\x1b[36mlo\x1b[0m " + ends + "\x1b[31mFlags [FSRP.UEW]\x1b[0m, seq 1, ack 0, win 512, urg 3, length 0"},
		{"", "data", ends + "Flags [P.], seq 1:79, ack 1, win 512, length 78"},
		{"", "tcp over ip6", "IP6 fd00::1.41234 > fe80::a:0:0:2.9080: \x1b[33mFlags [F.]\x1b[0m, seq 1, ack 0, win 512, length 0"},
		{"\x1b[0m", "http", "\x1b[35m" + `\x1b[0m` + "\x1b[0m " + ends + `Flags [P], seq 1:38, win 512, length 37: HTTP: GET /a\x1b[31m?\xe2\x80\xae HTTP/1.1`},
	} {
		frame := frames[test.frame]
		got := string(p.Append(nil, testTime, test.label, frame, len(frame)))
		if got != test.want {
			t.Errorf("%s\n got %q\nwant %q", test.frame, got, test.want)
		}
	}
}

// TestColoursOnly: without its own colours, a coloured line is the plain one.
func TestColoursOnly(t *testing.T) {
	own := strings.NewReplacer("\x1b[36m", "", "\x1b[31m", "", "\x1b[33m", "", "\x1b[0m", "")
	plain, coloured := New(Options{}), New(Options{Colour: true})
	for _, f := range seeds(t) {
		want := string(plain.Append(nil, testTime, "lo\x1b[31m", f, len(f)))
		got := string(coloured.Append(nil, testTime, "lo\x1b[31m", f, len(f)))
		if got := own.Replace(got); got != want {
			t.Errorf(" got %q\nwant %q", got, want)
		}
	}
}
