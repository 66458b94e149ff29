package bpfc

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// shape returns a tree as text with all structure made visible: chains in
// brackets, qualifiers and the kinds of operands spelt out.
func shape(e Expr) string {
	switch e := e.(type) {
	case everything:
		return "everything"
	case *chain:
		s := "[" + shape(e.terms[0])
		for i, op := range e.ops {
			s += " " + op.String() + " " + shape(e.terms[i+1])
		}
		return s + "]"
	case *negation:
		return "!" + shape(e.x)
	case *group:
		return "(" + shape(e.x) + ")"
	case *qualified:
		return fmt.Sprintf("{%s: %s}", e.q, shape(e.x))
	case *protocol:
		return e.name
	case *length:
		return e.String()
	case *operand:
		return fmt.Sprintf("%s#%d<%s>", e, e.kind, e.q)
	case *relationExpr:
		return "{" + arithShape(e.a) + " " + e.op + " " + arithShape(e.b) + "}"
	case *cast, *encapsulation, *flow, *control, *byteTest:
		return fmt.Sprintf("%T %s", e, e)
	}
	return fmt.Sprintf("%T", e)
}

// arithShape is shape for arithmetic: every operation in brackets.
func arithShape(e arith) string {
	switch e := e.(type) {
	case *parenthesis:
		return "(" + arithShape(e.x) + ")"
	case *minus:
		return "-" + arithShape(e.x)
	case *binaryExpr:
		return "[" + arithShape(e.a) + e.op + arithShape(e.b) + "]"
	case *packetData:
		size := ""
		if e.size != nil {
			size = ":" + e.size.text
		}
		return e.proto + "[" + arithShape(e.at) + size + "]"
	}
	return e.String()
}

func TestParse(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"", "everything"},
		{" \t\r\n", "everything"},
		{"tcp", "tcp"},
		{"tcp and udp or icmp", "[tcp and udp or icmp]"},
		{"tcp && (udp || icmp)", "[tcp and ([udp or icmp])]"},
		{"not tcp and udp", "[!tcp and udp]"},
		{"!!tcp", "!!tcp"},
		{"port 80", "{port: 80#4<port>}"},
		{"tcp src port 80", "{tcp src port: 80#4<tcp src port>}"},
		{"src or dst port 80", "{src or dst port: 80#4<src or dst port>}"},
		{"dst and src port 80", "{src and dst port: 80#4<src and dst port>}"},
		{"src || dst 10.0.0.1", "{src or dst: 10.0.0.1#5<src or dst>}"},
		{"port 80 or 443", "[{port: 80#4<port>} or 443#4<port>]"},
		{"port (80 or 443)", "{port: ([80#4<port> or 443#4<port>])}"},
		{"port not 80 or 443", "[{port: !80#4<port>} or 443#4<port>]"},
		{"port 80 and not (443 or 90) and 91",
			"[{port: 80#4<port>} and !([443#4<port> or 90#4<port>]) and 91#4<port>]"},
		{"host 10.0.0.1 or src host ::1 and fd00::2",
			"[{host: 10.0.0.1#5<host>} or {src host: ::1#6<src host>} and fd00::2#6<src host>]"},
		{"link host 1:2:3:4:5:6", "{ether host: 1:2:3:4:5:6#7<ether host>}"},
		{"ether dst 01-02-03-04-05-06", "{ether dst: 01-02-03-04-05-06#7<ether dst>}"},
		{"net 10.0.0.0 / 8", "{net: 10.0.0.0/8#5<net>}"},
		{"net 10.0.0.0 mask 255.0.0.0", "{net: 10.0.0.0 mask 255.0.0.0#5<net>}"},
		{`ip proto \tcp`, `{ip proto: \tcp#3<ip proto>}`},
		{"portrange 80-90", "{portrange: 80-90#2<portrange>}"},
		{"less 0x10 or greater 010", "[less 0x10 or greater 010]"},
		{"ip[0] + 2 * 3 = len", "{[ip[0]+[2*3]] = len}"},
		{"1 - 2 - 3 < 4 | 5 & 6 << 7 + 8 / 9", "{[[1-2]-3] < [4|[5&[6<<[7+[8/9]]]]]}"},
		{"-1 * 2 = -(3 + 4)", "{[-1*2] = -([3+4])}"},
		{"ip[8] % 3 + 1 = 2", "{[ip[8]%[3+1]] = 2}"},
		{"ip[8] * 2 ^ 1 | 4 = 2", "{[ip[8]*[2^[1|4]]] = 2}"},
		{"-1 % 2 = 0", "{-[1%2] = 0}"},
		{"(1 + 2) = 3 and ((tcp))", "[{([1+2]) = 3} and ((tcp))]"},
		{"tcp[tcpflags:1] & (tcp-syn|tcp-ack)!=0", "{[tcp[tcpflags:1]&([tcp-syn|tcp-ack])] != 0}"},
		{"wlan[0] = 1 or fddi host 1:2:3:4:5:6", "[{ether[0] = 1} or {ether host: 1:2:3:4:5:6#7<ether host>}]"},
		{"not 1 = 1 or port 5 and 6 = 6 or port 7", "[!{1 = 1} or {port: 5#4<port>} and {6 = 6} or {port: 7#4<port>}]"},
		{"vlan (5) and mpls or llc rnr", "[*bpfc.encapsulation vlan 5 and *bpfc.encapsulation mpls or *bpfc.control llc rnr]"},
		{"is-is and es-is proto 3", "[isis and {esis proto: 3#4<esis proto>}]"},
	}
	for _, tt := range tests {
		e, err := Parse(tt.expr)
		if err != nil {
			t.Errorf("%q: %v", tt.expr, err)
			continue
		}
		if got := shape(e); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// TestStringParses checks that the text of a tree parses to the same tree,
// and that the tree spans the whole text.
func TestStringParses(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	core, whole := sentencer{r}, linguist{sentencer{r}, LinuxSLL2}
	for i := range 6000 {
		expr := core.sentence(3)
		if i%2 == 0 {
			expr = whole.sentence(3)
		}
		e, err := Parse(expr)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Fatalf("%q: %q: %v", expr, e, err)
		}
		if shape(e) != shape(again) {
			t.Fatalf("%q: %s became %s", expr, shape(e), shape(again))
		}
		if e.Pos() != 0 || e.End() != len(strings.TrimRight(expr, " ")) {
			t.Fatalf("%q: from %d to %d of %d", expr, e.Pos(), e.End(), len(expr))
		}
	}
}

func TestLexer(t *testing.T) {
	tests := []struct{ text, want string }{
		{"tcp", "tcp/1"},
		{"TCP tcpx 1a", "TCP/2 tcpx/2 1a/2"},
		{"len-14 80-90 a_b.c- x", "len-14/2 80-90/2 a_b.c/2 -/8 x/2"},
		{"80 0x1F 017", "80/4 0x1F/4 017/4"},
		{"1.2 1.2.3 1.2.3.4 1.2.3.4.5 1.2.", "1.2/5 1.2.3/5 1.2.3.4/5 1.2.3.4.5/2 1.2./2"},
		{"::1 fe80:: ::ffff:1.2.3.4", "::1/6 fe80::/6 ::ffff:1.2.3.4/6"},
		{"0:1:2:3:4:5 aabb.ccdd.eeff aa-b-c-d-e-f a.b.c.d.e.f aabbccddeeff",
			"0:1:2:3:4:5/7 aabb.ccdd.eeff/7 aa-b-c-d-e-f/7 a.b.c.d.e.f/7 aabbccddeeff/7"},
		{`\tcp \a/b)`, "tcp/3 a/b/3 )/8"},
		{"!(&&||)", "!/8 (/8 &&/8 ||/8 )/8"},
		{"ip[2:2]>=5", "ip/1 [/8 2/4 :/8 2/4 ]/8 >=/8 5/4"},
	}
	for _, tt := range tests {
		tokens, err := lex(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		var got []string
		for _, tok := range tokens[:len(tokens)-1] {
			got = append(got, fmt.Sprintf("%s/%d", tok.text, tok.kind))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, s, tt.want)
		}
	}
}

func TestKeywordsAreSorted(t *testing.T) {
	for i, k := range keywords {
		if i > 0 && keywords[i-1].word >= k.word {
			t.Errorf("%q stands after %q", k.word, keywords[i-1].word)
		}
		if classOf(k.word) != k.class {
			t.Errorf("%q is not found", k.word)
		}
	}
}

func TestNearestKeyword(t *testing.T) {
	tests := []struct{ word, want string }{
		{"prot", "port"}, {"hots", "host"}, {"TCP", "tcp"}, {"portrnage", "portrange"},
		{"upd", "udp"}, {"adn", "and"}, {"VLAN", "vlan"}, {"grater", "greater"},
		{"example", ""}, {"x", ""}, {"istio-proxy", ""}, {"averyveryverylongname", ""},
	}
	for _, tt := range tests {
		if got := nearestKeyword(tt.word); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}
