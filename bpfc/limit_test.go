package bpfc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// clauses are n expressions that have little in common, so that no list, set
// or trie can stand for them.
func clauses(r *rand.Rand, n int) []string {
	list := make([]string, n)
	for i := range list {
		switch r.IntN(3) {
		case 0:
			list[i] = fmt.Sprintf("tcp[%d:2] = %d and src port %d", r.IntN(40), r.IntN(4)*i, 40000-i)
		case 1:
			list[i] = fmt.Sprintf("udp and ip[%d] + %d = ip[%d]", r.IntN(8), i%256, 8+r.IntN(8))
		default:
			list[i] = fmt.Sprintf("host 10.0.%d.%d and len > %d and not dst port %d", i/256, i%256, r.IntN(300), i)
		}
	}
	return list
}

// TestLargePrograms runs programs that Linux does not take: they hold for a
// packet if one of their clauses does.
func TestLargePrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(91, 92))
	list := clauses(r, 400)
	whole := "(" + strings.Join(list, ") or (") + ")"
	_, err := Compile(whole, Ethernet, 0)
	var limit *LimitError
	var e *Error
	if !errors.As(err, &limit) || limit.Limit != MaxInstructions || limit.Instructions <= MaxInstructions ||
		!errors.As(err, &e) || e.Kind != KindLimit || e.Hint == "" {
		t.Fatalf("got %.200v, want a *LimitError", err)
	}
	p, err := CompileOptions(whole, Ethernet, Options{Limit: NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions", len(p.Insns))
	var parts []*Program
	for _, expr := range list {
		part, err := CompileOptions(expr, Ethernet, Options{})
		if errors.Is(err, ErrNeverMatches) {
			continue // "tcp[0:2] = 1 and src port 2"
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	pkts, _ := corpus(r)
	matched := 0
	for i, pkt := range pkts {
		want := 0
		for _, part := range parts {
			want = max(want, part.Match(pkt, len(pkt)))
		}
		if got := p.Match(pkt, len(pkt)); got != want {
			t.Fatalf("packet %d: got %d, want %d", i, got, want)
		}
		if want > 0 {
			matched++
		}
	}
	if matched == 0 || matched == len(pkts) {
		t.Errorf("%d of %d packets match: nothing is shown", matched, len(pkts))
	}
}

// TestLimit compiles with just enough instructions, and with one too few.
func TestLimit(t *testing.T) {
	list := strings.Join(clauses(rand.New(rand.NewPCG(93, 94)), 200), " or ")
	for _, expr := range []string{"tcp port 80", list} {
		p, err := CompileOptions(expr, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		n := len(p.Insns)
		if p, err := CompileOptions(expr, Ethernet, Options{Limit: n}); err != nil || len(p.Insns) != n {
			t.Errorf("%.20q: limit %d: %v", expr, n, err)
		}
		var limit *LimitError
		_, err = CompileOptions(expr, Ethernet, Options{Limit: n - 1})
		if !errors.As(err, &limit) || *limit != (LimitError{Limit: n - 1, Instructions: n}) {
			t.Errorf("%.20q: limit %d: %.200v", expr, n-1, err)
		}
	}
	// Other errors are none.
	var limit *LimitError
	if _, err := Compile("tcp prot 80", Ethernet, 0); errors.As(err, &limit) {
		t.Errorf("%v is a *LimitError", err)
	}
}

// TestTooLarge compiles expressions whose program would have too many blocks: in
// the text, in search trees, or in what stands before a tag.
func TestTooLarge(t *testing.T) {
	ports, relations := "1", "tcp[0] = 0"
	for i := range 15000 {
		ports += fmt.Sprintf(" or %d", 4*i+5)
		relations += fmt.Sprintf(" or tcp[%d] = %d", i%40, i)
	}
	for expr, live := range map[string]bool{
		"tcp and port " + ports: false,
		relations:               false,
		"(" + relations + ") and vlan or ip[0] = 1": true,
	} {
		_, err := CompileOptions(expr, Ethernet, Options{Limit: NoLimit, Live: live})
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindLimit {
			t.Errorf("%.40q: got %.100v", expr, err)
		}
	}
}

// TestShorterForLinux writes search trees that are slower where Linux takes
// the program only with them, also without a limit.
func TestShorterForLinux(t *testing.T) {
	var list strings.Builder
	list.WriteString("dst port 1")
	for i := range 4000 {
		fmt.Fprintf(&list, " or %d", 2*i+3)
		if i%400 != 0 {
			continue
		}
		p, err := CompileOptions(list.String(), Ethernet, Options{Limit: NoLimit})
		if err != nil {
			t.Fatal(err)
		}
		q, err := Compile(list.String(), Ethernet, 0)
		if err == nil && len(q) != len(p.Insns) {
			t.Fatalf("%d ports: %d instructions without a limit, %d with", i, len(p.Insns), len(q))
		}
		if err != nil && len(p.Insns) <= MaxInstructions {
			t.Fatalf("%d ports: %d instructions, but %.200v", i, len(p.Insns), err)
		}
	}
}
