package stitch

import (
	"fmt"
	"testing"

	"icap/internal/flow"
)

const (
	app     = "10.0.0.5:40000"
	service = "10.96.1.1:80"
	proxy   = "127.0.0.1:15001"
)

// see shows a table packets, and returns what is known of the redirected ones
// at the end: the addresses that the app saw, "open" or "natural".
func see(t *testing.T, table *Table, segments ...segment) (known []string) {
	t.Helper()
	var conns []*Conn
	for _, s := range segments {
		v := view(t, s.frame(t))
		if c := table.See(v); c != nil {
			conns = append(conns, c)
		}
	}
	for _, c := range conns {
		switch c.state {
		case open:
			known = append(known, "open")
		case hopeless:
			known = append(known, "hopeless")
		case natural:
			known = append(known, "natural")
		default:
			known = append(known, fmt.Sprintf("%s > %s", c.src, c.dst))
		}
	}
	return known
}

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name     string
		segments []segment
		want     []string
	}{
		{"handshake", []segment{
			{app, proxy, "S", 100, 0, "", false},
			{service, app, "SA", 900, 101, "", false},
			{app, proxy, "A", 101, 901, "GET", false},
		}, []string{app + " > " + service, app + " > " + service}},
		{"refused", []segment{
			{app, proxy, "S", 100, 0, "", false},
			{service, app, "RA", 0, 101, "", false},
		}, []string{app + " > " + service}},
		{"no answer", []segment{
			{app, proxy, "S", 100, 0, "", false},
			{service, app, "SA", 900, 102, "", false}, // to another SYN
			{service, app, "A", 900, 101, "", false},  // to none
		}, []string{"open"}},
		{"the kernel changed the port", []segment{
			{"10.0.0.5:43186", proxy, "S", 100, 0, "", false},
			{"10.96.1.1:80", "10.0.0.5:45555", "SA", 900, 101, "", false},
			{"10.0.0.5:43186", proxy, "A", 101, 901, "", false},
		}, []string{"10.0.0.5:45555 > 10.96.1.1:80", "10.0.0.5:45555 > 10.96.1.1:80"}},
		{"one number, two ports", []segment{
			{"10.0.0.5:40000", proxy, "S", 100, 0, "", false},
			{"10.0.0.5:40001", proxy, "S", 100, 0, "", false},
			{"10.96.1.2:80", "10.0.0.5:40001", "SA", 900, 101, "", false},
			{"10.96.1.1:80", "10.0.0.5:40000", "SA", 900, 101, "", false},
		}, []string{"10.0.0.5:40000 > 10.96.1.1:80", "10.0.0.5:40001 > 10.96.1.2:80"}},
		{"SYN sent twice", []segment{
			{app, proxy, "S", 100, 0, "", false},
			{app, proxy, "S", 100, 0, "", false},
			{service, app, "SA", 900, 101, "", false},
		}, []string{app + " > " + service, app + " > " + service}},
		{"the port is used again", []segment{
			{app, proxy, "S", 100, 0, "", false},
			{service, app, "SA", 900, 101, "", false},
			{app, proxy, "S", 5000, 0, "", false},
			{"10.96.7.7:80", app, "SA", 900, 5001, "", false},
			{app, proxy, "A", 5001, 901, "", false},
		}, []string{app + " > " + service, app + " > 10.96.7.7:80", app + " > 10.96.7.7:80"}},
		{"older than the capture, the app goes on", []segment{
			{app, proxy, "A", 700, 800, "GET /", false},
			{service, app, "A", 800, 705, "200", false},
		}, []string{app + " > " + service}},
		{"older than the capture, the proxy goes on", []segment{
			{app, proxy, "A", 700, 800, "", false},
			{service, app, "A", 800, 700, "200", false},
		}, []string{app + " > " + service}},
		{"older than the capture, another connection of the port", []segment{
			{app, proxy, "A", 700, 800, "GET /", false},
			{"10.96.7.7:80", app, "A", 4800, 4705, "200", false},
		}, []string{"open"}},
		{"to the own service", []segment{
			{"10.0.0.5:40000", "127.0.0.1:15006", "S", 100, 0, "", false},
			{"10.0.0.5:8080", "10.0.0.5:40000", "SA", 900, 101, "", false},
		}, []string{"10.0.0.5:40000 > 10.0.0.5:8080"}},
		{"IPv6", []segment{
			{"[fd00::5]:40000", "[::1]:15001", "S", 100, 0, "", false},
			{"[fd00:96::1]:80", "[fd00::5]:40000", "SA", 900, 101, "", false},
		}, []string{"[fd00::5]:40000 > [fd00:96::1]:80"}},
		{"DNS", []segment{
			{"10.0.0.5:5353", "127.0.0.1:15053", "U", 0, 0, "\x00\x01query", false},
			{"10.0.0.5:5353", "127.0.0.1:15053", "U", 0, 0, "\x00\x02query", false},
			{"10.96.0.11:53", "10.0.0.5:5353", "U", 0, 0, "\x00\x02answer", false},
			{"10.96.0.10:53", "10.0.0.5:5353", "U", 0, 0, "\x00\x01answer", false},
		}, []string{"10.0.0.5:5353 > 10.96.0.10:53", "10.0.0.5:5353 > 10.96.0.11:53"}},
		{"not redirected", []segment{
			{"10.0.0.5:40000", "127.0.0.1:8080", "S", 100, 0, "", false},
			{"127.0.0.1:8080", "10.0.0.5:40000", "SA", 900, 101, "", false},
		}, []string{"natural"}},
		{"the proxy and the app", []segment{
			{"127.0.0.6:40000", "10.0.0.5:8080", "S", 100, 0, "", false},
			{"10.0.0.5:8080", "127.0.0.6:40000", "SA", 900, 101, "", false},
		}, nil},
		{"the app and itself", []segment{
			{"127.0.0.1:40000", "127.0.0.1:8080", "S", 100, 0, "", false},
			{"127.0.0.1:8080", "127.0.0.1:40000", "SA", 900, 101, "", false},
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := see(t, new(Table), test.segments...); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestTableForgets makes more connections than the table holds. Those that go
// on are not forgotten.
func TestTableForgets(t *testing.T) {
	table := new(Table)
	see(t, table, segment{app, proxy, "S", 1, 0, "", false}, segment{service, app, "SA", 9, 2, "", false})
	busy := view(t, segment{app, proxy, "A", 2, 10, "", false}.frame(t))
	v := view(t, segment{"10.0.0.5:1", proxy, "S", 7, 0, "", false}.frame(t))
	for i := range 5 * maxConns {
		if i%1000 == 0 && !table.See(busy).Known() {
			t.Fatalf("forgotten after %d others", i)
		}
		a := v.Src.Addr().As4()
		a[1], a[2], a[3] = byte(i>>16), byte(i>>8), byte(i)
		v.put(addrPort(a), v.Dst)
		table.See(v)
	}
	if n := len(table.young.conns) + len(table.old.conns); n > 2*maxConns+2 {
		t.Errorf("%d connections are remembered", n)
	}
}

// FuzzTable shows packets of any kind, with any flags, and gives known halves
// their addresses back: they decode to these.
func FuzzTable(f *testing.F) {
	f.Add(segment{app, proxy, "S", 100, 0, "", false}.frame(f), segment{service, app, "SA", 900, 101, "", false}.frame(f), uint16(1))
	f.Add(segment{"10.0.0.5:1", "127.0.0.1:15053", "U", 0, 0, "\x00\x01", false}.frame(f), segment{"10.9.9.9:53", "10.0.0.5:1", "U", 0, 0, "\x00\x01", false}.frame(f), uint16(1))
	f.Fuzz(func(t *testing.T, a, b []byte, link uint16) {
		table := new(Table)
		var views [2]View
		var conns [2]*Conn
		for i, frame := range [][]byte{a, b} {
			v := &views[i]
			v.Data = append([]byte(nil), frame...)
			if v.DecodeLink(link, v.Data) {
				conns[i] = table.See(v)
				v.FillChecksum()
			}
		}
		for i, c := range conns {
			if c == nil || !c.Known() {
				continue
			}
			c.Rewrite(&views[i])
			var h flow.Headers
			if !h.DecodeLink(link, views[i].Data) || h.Src != c.src || h.Dst != c.dst {
				t.Errorf("%s > %s after the rewriting, want %s > %s", h.Src, h.Dst, c.src, c.dst)
			}
		}
	})
}
