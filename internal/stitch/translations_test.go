package stitch

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"icap/internal/flow"
)

// An entry of connection tracking, and when it was read.
type tracked struct {
	second                       int
	src, dst, replySrc, replyDst string
	proto                        uint8
}

// TestTranslate has connection tracking say what a half is, and then the
// packets something else.
func TestTranslate(t *testing.T) {
	syn := []segment{{app, proxy, "S", 100, 0, "", false}}
	answer := segment{"10.96.7.7:80", app, "SA", 900, 101, "", false}
	query := []segment{{"10.0.0.5:5353", "127.0.0.1:15053", "U", 0, 0, "\x00\x01query", false}}
	for _, test := range []struct {
		name    string
		tracked []tracked
		packets []segment
		want    string
	}{
		{"at once", []tracked{{0, app, service, proxy, app, 6}}, syn, app + " > " + service + ", restored by conntrack"},
		{"older than the capture", []tracked{{0, app, service, proxy, app, 6}}, []segment{{app, proxy, "A", 7, 8, "GET", false}}, app + " > " + service + ", restored by conntrack"},
		{"the kernel changed the port", []tracked{{0, "10.0.0.5:45555", service, proxy, app, 6}}, syn, "10.0.0.5:45555 > " + service + ", restored by conntrack"},
		{"IPv6", []tracked{{0, "[fd00::5]:40000", "[fd00:96::1]:80", "[::1]:15001", "[fd00::5]:40000", 6}},
			[]segment{{"[fd00::5]:40000", "[::1]:15001", "S", 100, 0, "", false}}, "[fd00::5]:40000 > [fd00:96::1]:80, restored by conntrack"},
		{"DNS", []tracked{{0, "10.0.0.5:5353", "10.96.0.10:53", "127.0.0.1:15053", "10.0.0.5:5353", 17}}, query, "10.0.0.5:5353 > 10.96.0.10:53, restored by conntrack"},
		{"DNS, cut short", []tracked{{0, "10.0.0.5:5353", "10.96.0.10:53", "127.0.0.1:15053", "10.0.0.5:5353", 17}},
			[]segment{{"10.0.0.5:5353", "127.0.0.1:15053", "U", 0, 0, "", false}}, "10.0.0.5:5353 > 10.96.0.10:53, restored by conntrack"},
		{"another protocol", []tracked{{0, app, service, proxy, app, 17}}, syn, "unknown"},
		{"another connection", []tracked{{0, app, service, proxy, "10.0.0.5:40001", 6}}, syn, "unknown"},
		{"the packets tell", nil, append(syn, answer), app + " > 10.96.7.7:80, restored by sequence numbers"},
		{"not redirected", []tracked{{0, app, proxy, proxy, app, 6}}, syn, "natural"},
		{"the port was used long ago", []tracked{{0, app, "10.96.9.9:80", proxy, app, 6}, {60, app, service, proxy, app, 6}}, syn, app + " > " + service + ", restored by conntrack"},
		{"told twice", []tracked{{0, app, service, proxy, app, 6}, {1, app, service, proxy, app, 6}}, syn, app + " > " + service + ", restored by conntrack"},
		{"the port was used just before", []tracked{{0, app, "10.96.9.9:80", proxy, app, 6}, {1, app, service, proxy, app, 6}}, syn, "unknown"},
		{"and the packets tell", []tracked{{0, app, "10.96.9.9:80", proxy, app, 6}, {1, app, service, proxy, app, 6}}, append(syn, answer), app + " > 10.96.7.7:80, restored by sequence numbers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var translations Translations
			for _, e := range test.tracked {
				a := netip.MustParseAddrPort
				translations.Note(time.Unix(int64(e.second), 0), e.proto, a(e.src), a(e.dst), a(e.replySrc), a(e.replyDst))
			}
			table := new(Table)
			var conn *Conn
			for _, s := range test.packets {
				v := view(t, s.frame(t))
				if c := table.See(v); c != nil {
					conn = c
					table.Translate(c, &translations)
				}
			}
			got := "unknown"
			switch {
			case conn.Known():
				got = fmt.Sprintf("%s > %s, restored by %s", conn.src, conn.dst, conn.evidence)
			case conn.state == natural:
				got = "natural"
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if conn.evidence == byConntrack && (len(table.young.begun) > 0 || len(table.young.midway) > 0) {
				t.Error("an answer is still waited for")
			}
		})
	}
}

// TestTranslationsRead reads lines of conntrack -L, of -E and of the kernel.
func TestTranslationsRead(t *testing.T) {
	const list = `tcp      6 431999 ESTABLISHED src=10.0.0.5 dst=10.96.1.1 sport=40000 dport=80 src=127.0.0.1 dst=10.0.0.5 sport=15001 dport=40000 [ASSURED] mark=0 use=1
    [NEW] udp      17 30 src=10.0.0.5 dst=10.96.0.10 sport=5353 dport=53 [UNREPLIED] src=127.0.0.1 dst=10.0.0.5 sport=15053 dport=5353 zone=1
ipv6     10 tcp      6 60 SYN_SENT src=fd00::5 dst=fd00:96::1 sport=40000 dport=80 src=::1 dst=fd00::5 sport=15001 dport=40000 mark=0 zone=0 use=2
icmp     1 29 src=10.0.0.5 dst=10.0.0.9 type=8 code=0 id=7 src=10.0.0.9 dst=10.0.0.5 type=0 code=0 id=7 mark=0 use=1
conntrack v1.4.8 (conntrack-tools): 4 flow entries have been shown.
`
	var translations Translations
	if n, err := translations.Read(strings.NewReader(list)); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, want := range []struct {
		proto         uint8
		src, dst, app string
	}{
		{flow.ProtoTCP, app, proxy, service},
		{flow.ProtoUDP, "10.0.0.5:5353", "127.0.0.1:15053", "10.96.0.10:53"},
		{flow.ProtoTCP, "[fd00::5]:40000", "[::1]:15001", "[fd00:96::1]:80"},
	} {
		src, dst, ok := translations.of(half{want.proto, netip.MustParseAddrPort(want.src), netip.MustParseAddrPort(want.dst)})
		if !ok || src.String() != want.src || dst.String() != want.app {
			t.Errorf("%s: %v > %v, %v", want.src, src, dst, ok)
		}
	}
	for list, want := range map[string]string{
		"x\ntcp src=10.0.0 dst=10.96.1.1": "line 2: ParseAddr", "tcp sport=70000": "line 1: strconv",
	} {
		if _, err := translations.Read(strings.NewReader(list)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

// TestFileConntrack stitches a file that has only the redirected half.
func TestFileConntrack(t *testing.T) {
	var translations Translations
	a := netip.MustParseAddrPort
	translations.Note(time.Time{}, flow.ProtoTCP, a(app), a(service), a(proxy), a(app))
	out, result := stitched(t, Options{Conntrack: &translations}, capture(t, conversation[0], conversation[3]))
	if want := (Result{Packets: 2, Restored: 2}); result != want || strings.Count(string(out), "restored by conntrack") != 2 {
		t.Errorf("%+v", result)
	}
}

// TestTranslationsForget has more connections than are kept.
func TestTranslationsForget(t *testing.T) {
	var translations Translations
	last := netip.AddrPort{}
	for i := range 5 * maxTranslations {
		last = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		translations.Note(time.Unix(0, 0), flow.ProtoTCP, last, netip.MustParseAddrPort(service), netip.MustParseAddrPort(proxy), last)
	}
	if n := len(translations.young) + len(translations.old); n > 2*maxTranslations {
		t.Errorf("%d are kept", n)
	}
	if _, dst, ok := translations.of(half{flow.ProtoTCP, last, netip.MustParseAddrPort(proxy)}); !ok || dst.String() != service {
		t.Errorf("the last one is %v, %v", dst, ok)
	}
}
