package bpfc

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// errorTests are expressions that are refused, what for, and where. Those
// with ours set are accepted by libpcap 1.10, for the reason given.
var errorTests = []struct {
	expr string
	kind Kind
	at   string // the bytes at fault: their first occurrence; "$" for the end
	hint string // part of the hint
	ours bool
}{
	{expr: "tcp prot 80", kind: KindSyntax, at: "prot", hint: "`port`"},
	{expr: "hots 10.0.0.1", kind: KindSyntax, at: "hots", hint: "`host`"},
	{expr: "TCP port 80", kind: KindSyntax, at: "TCP", hint: "`tcp`"},
	{expr: "arp or (hots 10.0.0.1)", kind: KindSyntax, at: "hots", hint: "`host`"},
	{expr: "host hots 10.0.0.1", kind: KindSyntax, at: "10.0.0.1", hint: "`and`"},
	{expr: "TCP", kind: KindSyntax, at: "TCP", hint: "`tcp`"},
	{expr: "src tcp port 80", kind: KindSyntax, at: "tcp", hint: "order"},
	{expr: "port tcp 80", kind: KindSyntax, at: "tcp", hint: `\tcp`},
	{expr: "udp or 8000-9000", kind: KindSyntax, at: "8000-9000", hint: "`portrange 8000-9000`"},
	{expr: "10.0.0.1", kind: KindSyntax, at: "10.0.0.1", hint: "`host 10.0.0.1`"},
	{expr: "10.0.0.0/8", kind: KindSyntax, at: "10.0.0.0/8", hint: "`net 10.0.0.0/8`"},
	{expr: "::1", kind: KindSyntax, at: "::1", hint: "`host ::1`"},
	{expr: "fd00::/8", kind: KindSyntax, at: "fd00::/8", hint: "`net fd00::/8`"},
	{expr: "80", kind: KindSyntax, at: "80", hint: "`port 80`"},
	{expr: "0:1:2:3:4:5", kind: KindSyntax, at: "0:1:2:3:4:5", hint: "`ether host 0:1:2:3:4:5`"},
	{expr: "tcp and 80", kind: KindSyntax, at: "80", hint: "`port 80`"},
	{expr: "(port 80) or 443", kind: KindSyntax, at: "443", hint: "`port 443`"},
	{expr: "port (80 or udp)", kind: KindSyntax, at: "udp", hint: "mixed"},
	{expr: "host 10.0.0.1 or (10.0.0.2 and tcp)", kind: KindSyntax, at: "tcp", hint: "mixed"},
	{expr: "tcp 80", kind: KindSyntax, at: "80", hint: "`tcp port 80`"},
	{expr: "ip 10.0.0.1", kind: KindSyntax, at: "10.0.0.1", hint: "`ip host 10.0.0.1`"},
	{expr: "ip 6", kind: KindSyntax, at: "6", hint: "`ip proto 6`"},
	{expr: "arp 80", kind: KindSyntax, at: "80", hint: "`and`"},
	{expr: "port 80 90", kind: KindSyntax, at: "90", hint: "`and`"},
	{expr: "port 80,90", kind: KindSyntax, at: ",", hint: "names"},
	{expr: "tcp udp", kind: KindSyntax, at: "udp", hint: "`and`"},
	{expr: "port ip", kind: KindSyntax, at: "ip", hint: `\ip`},
	{expr: "port", kind: KindSyntax, at: "$"},
	{expr: "tcp src", kind: KindSyntax, at: "$"},
	{expr: "ether", kind: KindSyntax, at: "$"},
	{expr: "not", kind: KindSyntax, at: "$"},
	{expr: "tcp and", kind: KindSyntax, at: "$"},
	{expr: "and tcp", kind: KindSyntax, at: "and"},
	{expr: "tcp or and udp", kind: KindSyntax, at: "and"},
	{expr: "(tcp", kind: KindSyntax, at: "("},
	{expr: "tcp and (udp or (icmp)", kind: KindSyntax, at: "("},
	{expr: "tcp)", kind: KindSyntax, at: ")"},
	{expr: "()", kind: KindSyntax, at: ")"},
	{expr: "src proto 6", kind: KindSyntax, at: "proto"},
	{expr: "src dst port 80", kind: KindSyntax, at: "dst"},
	{expr: "src or src host 10.0.0.1", kind: KindSyntax, at: "or", hint: ""},
	{expr: "net 10/8", kind: KindSyntax, at: "/", hint: "`net 10.0.0.0/8`"},
	{expr: "net 10 mask 255.0.0.0", kind: KindSyntax, at: "mask"},
	{expr: "net ::1 mask ffff::", kind: KindSyntax, at: "mask"},
	{expr: "net 10.0.0.0 mask", kind: KindSyntax, at: "$"},
	{expr: "net 10.0.0.0/tcp", kind: KindSyntax, at: "tcp"},
	{expr: "less tcp", kind: KindSyntax, at: "tcp"},
	{expr: "port 08", kind: KindSyntax, at: "08", hint: "octal"},
	{expr: "host 1:2:3", kind: KindSyntax, at: "1:2:3"},
	{expr: "host fe80::zz", kind: KindSyntax, at: "fe80::zz"},
	{expr: `proto \`, kind: KindSyntax, at: `\`},
	{expr: "host café", kind: KindSyntax, at: "é", hint: "names"},
	{expr: "tcp\x00", kind: KindSyntax, at: "\x00"},
	{expr: "tcp \x7f", kind: KindSyntax, at: "\x7f"},
	{expr: "tcp @", kind: KindSyntax, at: "@"},
	{expr: "tcp = 3", kind: KindSyntax, at: "=", hint: "`tcp[0]`"},
	{expr: "ip[0]", kind: KindSyntax, at: "$"},
	{expr: "ip[0] and tcp", kind: KindSyntax, at: "and"},
	{expr: "ip[0 = 1", kind: KindSyntax, at: "="},
	{expr: "ip[0:len] = 1", kind: KindSyntax, at: "len"},
	{expr: "ip[0] = tcp", kind: KindSyntax, at: "$"},
	{expr: "ip[0] > 1 = 1", kind: KindSyntax, at: "="},
	{expr: "(ip[0] + 1", kind: KindSyntax, at: "$"},
	{expr: "vlan (ip)", kind: KindSyntax, at: "ip"},
	{expr: "ip[2:2] > 5 and 6", kind: KindSyntax, at: "6"},
	{expr: "byte 5 + 6", kind: KindSyntax, at: "+"},
	{expr: "ifindex eth0", kind: KindSyntax, at: "eth0"},
	{expr: "src multicast", kind: KindSyntax, at: "multicast"},
	{expr: "src protochain 6", kind: KindSyntax, at: "protochain"},
	{expr: "llc (ui)", kind: KindSyntax, at: "("},
	{expr: "action drop", kind: KindUnsupported, at: "action"},
	{expr: "type mgt", kind: KindLinkType, at: "type"},
	{expr: "wlan addr1 1:2:3:4:5:6", kind: KindLinkType, at: "addr1"},
	{expr: "vpi 5", kind: KindLinkType, at: "vpi"},
	{expr: "fisu", kind: KindLinkType, at: "fisu"},
	{expr: "radio", kind: KindLinkType, at: "radio"},
	{expr: "inbound", kind: KindLinkType, at: "inbound", ours: true},
	{expr: "ifindex 3", kind: KindLinkType, at: "ifindex 3", ours: true},
	{expr: "mpls and arp", kind: KindLinkType, at: "arp"},
	{expr: "mpls and vlan", kind: KindLinkType, at: "vlan"},
	{expr: "pppoes and vlan", kind: KindLinkType, at: "vlan"},
	{expr: "pppoes and ether host 1:2:3:4:5:6", kind: KindLinkType, at: "1:2:3:4:5:6"},
	{expr: "geneve and protochain 6", kind: KindLinkType, at: "6"},

	{expr: "vlan 4096", kind: KindRange, at: "4096"},
	{expr: "mpls 1048576", kind: KindRange, at: "1048576"},
	{expr: "pppoes 65536", kind: KindRange, at: "65536"},
	{expr: "geneve 16777216", kind: KindRange, at: "16777216"},
	{expr: "ip[0] / 0 = 1", kind: KindRange, at: "ip[0] / 0"},
	{expr: "ip[0] % (3 - 3) = 1", kind: KindRange, at: "ip[0] % (3 - 3)"},
	{expr: "1 = ip[0] << 32", kind: KindRange, at: "ip[0] << 32"},
	{expr: "ip[0:3] = 1", kind: KindRange, at: "3"},
	{expr: "ip broadcast", kind: KindRange, at: "ip broadcast", ours: true}, // netmask 0 there
	{expr: "radio[0] = 1", kind: KindQualifier, at: "radio[0]"},
	{expr: "iso[0] = 1", kind: KindQualifier, at: "iso[0]"},
	{expr: "tcp multicast", kind: KindQualifier, at: "tcp multicast"},
	{expr: "ip6 broadcast", kind: KindQualifier, at: "ip6 broadcast"},
	{expr: "tcp protochain 6", kind: KindQualifier, at: "6"},
	{expr: "esis proto 3", kind: KindQualifier, at: "3"},
	{expr: "iso host 10.0.0.1", kind: KindQualifier, at: "10.0.0.1"},
	{expr: "gateway 10.0.0.1", kind: KindQualifier, at: "10.0.0.1"},
	{expr: "gateway router", kind: KindUnknownName, at: "router"},
	{expr: "llc foo", kind: KindUnknownName, at: "foo"},
	{expr: `iso proto \foo`, kind: KindUnknownName, at: `\foo`},
	{expr: "decnet host foo", kind: KindUnknownName, at: "foo"},
	{expr: "1 = 2", kind: KindNeverMatches, at: "1 = 2"},
	{expr: "len < 0", kind: KindNeverMatches, at: "len < 0", ours: true},

	{expr: "port 70000", kind: KindRange, at: "70000"},
	{expr: "portrange 80-70000", kind: KindRange, at: "80-70000"},
	{expr: "port 4294967296", kind: KindRange, at: "4294967296"},
	{expr: "host 300.1.1.1", kind: KindRange, at: "300.1.1.1"},
	{expr: "net 10.0.0.0 mask 256.0.0.0", kind: KindRange, at: "10.0.0.0 mask 256.0.0.0"},
	{expr: "net 10.0.0.0/33", kind: KindRange, at: "33"},
	{expr: "net fe80::/129", kind: KindRange, at: "129"},
	{expr: "ip proto 300", kind: KindRange, at: "300", ours: true}, // matches nothing there
	{expr: "ether proto 70000", kind: KindRange, at: "70000", ours: true},

	{expr: "ip port 80", kind: KindQualifier, at: "80", hint: "tcp, udp and sctp"},
	{expr: "icmp portrange 1-2", kind: KindQualifier, at: "1-2"},
	{expr: "ether port 80", kind: KindQualifier, at: "80"},
	{expr: "tcp host 10.0.0.1", kind: KindQualifier, at: "10.0.0.1", hint: "`tcp and host 10.0.0.1`"},
	{expr: "udp src 10.0.0.1", kind: KindQualifier, at: "10.0.0.1", hint: "`udp and src host 10.0.0.1`"},
	{expr: "tcp net 10", kind: KindQualifier, at: "10"},
	{expr: "ip6 host 1.2.3.4", kind: KindQualifier, at: "1.2.3.4"},
	{expr: "ip host ::1", kind: KindQualifier, at: "::1"},
	{expr: "ip host 1.2.3.4 or ::1", kind: KindQualifier, at: "::1"},
	{expr: "ether host 1.2.3.4", kind: KindQualifier, at: "1.2.3.4"},
	{expr: "host 0:1:2:3:4:5", kind: KindQualifier, at: "0:1:2:3:4:5", hint: "`ether host 0:1:2:3:4:5`"},
	{expr: "port 1.2.3.4", kind: KindQualifier, at: "1.2.3.4", hint: "`host 1.2.3.4`"},
	{expr: "port ::1", kind: KindQualifier, at: "::1"},
	{expr: "proto 1.2", kind: KindQualifier, at: "1.2"},
	{expr: "tcp proto 6", kind: KindQualifier, at: "6"},
	{expr: "src 10.0.0.0/8", kind: KindQualifier, at: "10.0.0.0/8", hint: "`src net 10.0.0.0/8`"},
	{expr: "host ::/8", kind: KindQualifier, at: "::/8", hint: "`net ::/8`"},
	{expr: "host 10.0.0.0 mask 255.0.0.0", kind: KindQualifier, at: "10.0.0.0 mask 255.0.0.0"},

	{expr: "host unknown.invalid", kind: KindUnknownName, at: "unknown.invalid", hint: "address"},
	{expr: `host \tcp`, kind: KindUnknownName, at: `\tcp`},
	{expr: "net nowhere", kind: KindUnknownName, at: "nowhere", hint: "10.0.0.0/8"},
	{expr: "ether host nobody", kind: KindUnknownName, at: "nobody"},
	{expr: "port nothing", kind: KindUnknownName, at: "nothing", hint: "number"},
	{expr: "port htttp", kind: KindUnknownName, at: "htttp", hint: "`http`"},
	{expr: "port 80-90", kind: KindUnknownName, at: "80-90", hint: "`portrange 80-90`"},
	{expr: "portrange 80-foo", kind: KindUnknownName, at: "80-foo"},
	{expr: "portrange ssh", kind: KindUnknownName, at: "ssh"},
	{expr: "udp port http", kind: KindUnknownName, at: "http"},
	{expr: "ip proto foo", kind: KindUnknownName, at: "foo"},
	{expr: "ether proto foo", kind: KindUnknownName, at: "foo"},

	{expr: "ip and not ip", kind: KindNeverMatches, at: "ip and not ip"},
	{expr: "tcp and udp", kind: KindNeverMatches, at: "tcp and udp"},
	{expr: "arp and port 80", kind: KindNeverMatches, at: "arp and port 80"},
	{expr: "less 5 and greater 10", kind: KindNeverMatches, at: "less 5 and greater 10", ours: true},
}

func TestErrors(t *testing.T) {
	for _, tt := range errorTests {
		_, err := Compile(tt.expr, Ethernet, 0)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v, want a *Error", tt.expr, err)
			continue
		}
		pos := strings.Index(tt.expr, tt.at)
		end := pos + len(tt.at)
		if tt.at == "$" {
			pos, end = len(tt.expr), len(tt.expr)
		}
		if e.Kind != tt.kind || e.Pos != pos || e.End != end || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%q: got %v [%d:%d] hint %q, want %v [%d:%d] hint %q\n%s\n%s",
				tt.expr, e.Kind, e.Pos, e.End, e.Hint, tt.kind, pos, end, tt.hint, e, e.Caret())
		}
		if e.Expr != tt.expr {
			t.Errorf("%q: error has the expression %q", tt.expr, e.Expr)
		}
		if strings.Contains(e.Error(), "\n") {
			t.Errorf("%q: error of more than one line: %q", tt.expr, e.Error())
		}
		if got, want := errors.Is(err, ErrNeverMatches), tt.kind == KindNeverMatches; got != want {
			t.Errorf("%q: errors.Is(err, ErrNeverMatches) is %v", tt.expr, got)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Compile("tcp prot 80", Ethernet, 0)
	want := "unexpected `prot` after `tcp` at column 5: did you mean `port`?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCaret(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"tcp prot 80", "tcp prot 80\n    ^~~~"},
		{"tcp and", "tcp and\n       ^"},
		{"port\t70000", "port\\t70000\n      ^~~~~"},
		{"tcp \x01", "tcp \\x01\n    ^~~~"},
		{"host é", "host \\u00e9\n     ^~~~~~"},
		{"host \xff", "host \\xff\n     ^~~~"},
		{"host \U0001f600", "host \\U0001f600\n     ^~~~~~~~~~"},
		{"tcp\r\n@", "tcp\\r\\n@\n       ^"},
	}
	for _, tt := range tests {
		_, err := Compile(tt.expr, Ethernet, 0)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%q: %v", tt.expr, err)
		}
		if got := e.Caret(); got != tt.want {
			t.Errorf("%q: got\n%s\nwant\n%s", tt.expr, got, tt.want)
		}
	}
}

func TestKindString(t *testing.T) {
	seen := make(map[string]bool)
	for k := KindSyntax; k <= KindLimit; k++ {
		s := k.String()
		if s == "" || strings.HasPrefix(s, "Kind(") || seen[s] {
			t.Errorf("kind %d is %q", k, s)
		}
		seen[s] = true
	}
	if got := Kind(99).String(); got != "Kind(99)" {
		t.Errorf("got %q", got)
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("(", 10000) + "tcp" + strings.Repeat(")", 10000)
	nots := strings.Repeat("not ", 10000) + "tcp"
	long := strings.Repeat("tcp or ", 200000) + "tcp"
	var many, mixed strings.Builder
	many.WriteString("port 0")
	mixed.WriteString("port 0")
	for i := range 6000 {
		fmt.Fprintf(&many, " or %d", 2*i)
		fmt.Fprintf(&mixed, " or port %d or host 10.0.%d.%d", i, i>>8, i&255)
	}
	// Hostile arithmetic and tunnels.
	sum := strings.Repeat("len + ", 10000) + "1 = 1"
	brackets := strings.Repeat("ip[", 5000) + "0" + strings.Repeat("]", 5000) + " = 1"
	groups := strings.Repeat("(", 900) + "1" + strings.Repeat(")", 900)
	minus := strings.Repeat("-", 5000) + "1 = 1"
	tunnels := "geneve and geneve and geneve and geneve"
	inTunnels := "geneve and geneve and (tcp" + strings.Repeat(" or port 5", 20000) + ")"
	chains := "protochain 6" + strings.Repeat(" or ip6 protochain 7", 50000)
	hostile := []string{sum, brackets, minus, tunnels, inTunnels, chains}
	if _, err := Compile(groups+" = 1", Ethernet, 0); err != nil {
		t.Errorf("900 parentheses: %v", err)
	}
	for _, expr := range append(hostile, deep, nots, long, many.String(), mixed.String()) {
		_, err := Compile(expr, Ethernet, 0)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindLimit {
			t.Errorf("%.20q...: got %.100v, want a limit", expr, err)
		}
	}
	_, err := CompileOptions("tcp port 80", Ethernet, Options{Limit: 5})
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindLimit {
		t.Errorf("got %v, want a limit", err)
	}
	if _, err := Compile("tcp", Ethernet, -1); err == nil {
		t.Error("a negative snaplen compiles")
	}
	if _, err := Compile("tcp", LinkType(147), 0); !errors.As(err, &e) || e.Kind != KindLinkType {
		t.Errorf("got %v, want a link type error", err)
	}
}

// Of a long expression only the part around the fault is shown.
func TestCaretOfLongExpression(t *testing.T) {
	long := strings.Repeat("port 1 or ", 50)
	e := &Error{Expr: long + "prot 2 or " + long, Pos: len(long), End: len(long) + 4}
	lines := strings.Split(e.Caret(), "\n")
	if len(lines) != 2 || len(lines[0]) > 200 || !strings.HasPrefix(lines[0], "...") || !strings.HasSuffix(lines[0], "...") {
		t.Fatalf("shown as\n%s", e.Caret())
	}
	at := strings.IndexByte(lines[1], '^')
	if lines[0][at:at+4] != "prot" || lines[1][at:] != "^~~~" {
		t.Errorf("the mark is not under the fault:\n%s", e.Caret())
	}
}
