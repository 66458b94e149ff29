package kernel

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func jump(c cond, chain string) rule    { return rule{cond: c, verdict: verdictJump, chain: chain} }
func redirect(c cond, port uint16) rule { return rule{cond: c, verdict: verdictRedirect, port: port} }
func leave(c cond) rule                 { return rule{cond: c, verdict: verdictReturn} }

// TestRedirects has the shapes of rules that no file in testdata has.
func TestRedirects(t *testing.T) {
	tcp := cond{proto: ProtoTCP}
	port := func(p uint16) cond { return cond{proto: ProtoTCP, ports: []uint16{p}} }
	for _, tt := range []struct {
		name    string
		in, out []rule
		more    chains
		want    Redirects
	}{
		{
			name: "rules of a virtual machine's interface come first but lead out",
			in: []rule{
				redirect(cond{proto: ProtoTCP, input: true, other: true}, 15001),
				leave(cond{input: true}),
				redirect(tcp, 15006),
			},
			out:  []rule{redirect(tcp, 15001)},
			want: Redirects{Inbound: 15006, Outbound: 15001},
		},
		{
			name: "a port excluded after the redirect is not excluded",
			in:   []rule{leave(port(1)), redirect(tcp, 15006), leave(port(2))},
			want: Redirects{Inbound: 15006, ExcludedInbound: []uint16{1}},
		},
		{
			name: "nor is one that only some peers may use",
			in:   []rule{leave(cond{ports: []uint16{1}, other: true}), redirect(tcp, 15006)},
			want: Redirects{Inbound: 15006},
		},
		{
			name: "a chain that is left at once redirects nothing",
			in:   []rule{leave(cond{}), redirect(tcp, 15006)},
			want: Redirects{},
		},
		{
			name: "nothing comes back from a goto",
			in:   []rule{{cond: tcp, verdict: verdictGoto, chain: "a"}, redirect(tcp, 2)},
			more: chains{"a": {leave(port(7)), redirect(port(8), 1)}},
			want: Redirects{Inbound: 1, ExcludedInbound: []uint16{7}, IncludedInbound: []uint16{8}},
		},
		{
			name: "dropped packets are not redirected",
			in:   []rule{{verdict: verdictDrop}, redirect(tcp, 15006)},
			want: Redirects{},
		},
		{
			name: "a redirect of UDP is not one of TCP",
			in:   []rule{redirect(cond{proto: ProtoUDP}, 15006)},
			out:  []rule{redirect(cond{proto: ProtoUDP}, 15001)},
			want: Redirects{},
		},
		{
			name: "ports included outbound, DNS apart",
			out: []rule{
				redirect(cond{proto: ProtoUDP, ports: []uint16{53}}, 15053),
				redirect(port(80), 15001),
				redirect(port(443), 15001),
			},
			want: Redirects{Outbound: 15001, DNS: 15053},
		},
		{
			name: "owners that are sent to a redirect outrank those that are spared",
			out: []rule{
				leave(cond{gids: []uint32{5}}),
				jump(cond{uids: []uint32{9}}, "a"),
				redirect(tcp, 15001),
			},
			more: chains{"a": {redirect(tcp, 15006)}},
			want: Redirects{Outbound: 15001, Inbound: 15006, ProxyUIDs: []uint32{9}},
		},
		{
			name: "a mesh that only spares its owner",
			out:  []rule{leave(cond{uids: []uint32{2102, 2102}}), redirect(tcp, 4140)},
			want: Redirects{Outbound: 4140, ProxyUIDs: []uint32{2102}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := chains{"in": tt.in, "out": tt.out}
			for name, rules := range tt.more {
				c[name] = rules
			}
			var f finding
			if err := errors.Join(f.add("x", 0, hookPrerouting, c, "in"), f.add("x", 0, hookOutput, c, "out")); err != nil {
				t.Fatal(err)
			}
			got := f.redirects()
			got.Source = ""
			got.InboundRules, got.OutboundRules = nil, nil
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("redirects (-want +got):\n%s", d)
			}
		})
	}
}

// TestWalkBounded has chains whose paths double at each of 40 steps, and a
// chain that jumps to itself, which no kernel accepts.
func TestWalkBounded(t *testing.T) {
	c := chains{"loop": {jump(cond{}, "loop")}}
	for i := range 40 {
		to := fmt.Sprint(i + 1)
		c[fmt.Sprint(i)] = []rule{jump(cond{}, to), jump(cond{}, to)}
	}
	for _, base := range []string{"0", "loop"} {
		var f finding
		if err := f.add("x", 0, hookOutput, c, base); !errors.Is(err, errTooManyRules) {
			t.Errorf("walk from %q: %v", base, err)
		}
	}
}

func TestCondAndLeavesBothAlone(t *testing.T) {
	a := cond{except: append(make([]uint16, 0, 8), 1)}
	b, c := a.and(cond{except: []uint16{2}}), a.and(cond{except: []uint16{3}})
	if !slices.Equal(b.except, []uint16{1, 2}) || !slices.Equal(c.except, []uint16{1, 3}) {
		t.Errorf("got %v and %v", b.except, c.except)
	}
}
