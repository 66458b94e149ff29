package lab_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// A tap is a packet socket that keeps what it gets until it is read.
type tap struct {
	name string
	fd   int
}

// taps opens packet sockets on interfaces of a pod.
func taps(t *testing.T, p *lab.Pod, names ...string) []tap {
	t.Helper()
	var open []tap
	err := p.NS.Do(func() error {
		for _, name := range names {
			fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { unix.Close(fd) })
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
				return err
			}
			link, err := net.InterfaceByName(name)
			if err != nil {
				return err
			}
			// Lo shows each packet twice. A bridge shows packets between
			// its ports to those who ask for foreign ones.
			incoming := 0
			if link.Flags&net.FlagLoopback != 0 {
				incoming = 1
			}
			if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, incoming); err != nil {
				return err
			}
			foreign := unix.PacketMreq{Ifindex: int32(link.Index), Type: unix.PACKET_MR_PROMISC}
			if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &foreign); err != nil {
				return err
			}
			all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
			if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index}); err != nil {
				return err
			}
			open = append(open, tap{name, fd})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// A way is a direction on an interface.
type way struct {
	iface, proto string
	lab.Direction
}

// read takes all packets out of a tap and counts them by way.
func (p tap) read(t *testing.T, seen map[way]int) {
	t.Helper()
	b := make([]byte, 128)
	for {
		n, _, err := unix.Recvfrom(p.fd, b, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		if err == unix.EAGAIN {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var h flow.Headers
		h.Decode(b[:min(n, len(b))])
		w := way{iface: p.name, Direction: lab.Direction{
			Src: netip.AddrPortFrom(h.Src.Addr(), h.Src.Port()), Dst: netip.AddrPortFrom(h.Dst.Addr(), h.Dst.Port()),
		}}
		switch h.Proto {
		case flow.ProtoTCP:
			w.proto = lab.TCP
		case flow.ProtoUDP:
			w.proto = lab.UDP
		default:
			continue
		}
		seen[w]++
	}
	stats, err := unix.GetsockoptTpacketStats(p.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil || stats.Drops > 0 {
		t.Fatalf("tap on %s: %+v, %v", p.name, stats, err)
	}
}

// judge holds what packet sockets saw against what programs said: each packet
// belongs to a flow, no two legs share a way, and no flow is unseen.
func judge(t *testing.T, seen map[way]int, flows []lab.Flow) {
	t.Helper()
	legs := map[way]string{}
	for _, f := range flows {
		for i, d := range []lab.Direction{f.Request, f.Answer} {
			w := way{f.Interface, f.Proto, d}
			if leg, ok := legs[w]; ok && leg != f.Leg {
				t.Errorf("%+v is on %s and on %s", w, leg, f.Leg)
			}
			legs[w] = f.Leg
			if i == 0 && seen[w] == 0 {
				t.Errorf("nothing was seen of %s on %s: %v (client %+v, server %+v)", f.Leg, f.Interface, d, f.Client, f.Server)
			}
		}
	}
	for w, n := range seen {
		if legs[w] == "" {
			t.Errorf("%d packets of no flow: %+v", n, w)
		}
	}
}

// TestCases runs all cases of each rule set and captures meanwhile.
func TestCases(t *testing.T) {
	for _, r := range lab.AllRules() {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			checkMet(t, runCases(t, lab.Config{Rules: r}))
		})
	}
}

func runCases(t *testing.T, c lab.Config) *lab.Lab {
	t.Helper()
	l := labtest.New(t, c)
	runAll(t, l, l.App, l.Cases())
	return l
}

// runAll runs the cases of a pod and captures meanwhile.
func runAll(t *testing.T, l *lab.Lab, p *lab.Pod, cases []lab.Case) {
	t.Helper()
	open := taps(t, p, "lo", "eth0")
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { runCase(t, l, c) })
	}
	seen := map[way]int{}
	for _, tap := range open {
		tap.read(t, seen)
	}
	flows, err := l.Flows(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	judge(t, seen, flows)
}

// TestGateway runs all cases of a gateway, whose upstream is in the mesh.
func TestGateway(t *testing.T) {
	for _, r := range []lab.Rules{lab.Today, lab.TProxy} {
		t.Run(r.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: r, Gateway: true})
			node := taps(t, l.Node, "br0", "eth0")
			runAll(t, l, l.Gateway, l.GatewayCases())
			seen := map[way]int{}
			for _, tap := range node {
				tap.read(t, seen)
			}
			flows, err := l.Flows(t.Context(), l.Gateway)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range flows {
				checkNode(t, l, seen, f)
			}
			runAll(t, l, l.App, l.Cases())
		})
	}
}

// TestTranslatedPort sees that the case in which the kernel translates a port
// on the way in is one.
func TestTranslatedPort(t *testing.T) {
	for r, translated := range map[lab.Rules]bool{lab.Today: true, lab.Ambient: true, lab.TProxy: false} {
		t.Run(r.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: r})
			cases := l.Cases()
			c := cases[slices.IndexFunc(cases, func(c lab.Case) bool { return c.Name == "port-used" })]
			res, err := l.Run(t.Context(), c, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := false
			for _, f := range res.Flows {
				if f.Leg == lab.LegInboundWire {
					got = got || f.Server.Remote != f.Request.Src
				}
			}
			if got != translated {
				t.Errorf("port translated: %t, want %t: %+v", got, translated, res.Flows)
			}
		})
	}
}

// checkNode holds a flow of the gateway against what the node sees: all on
// its bridge, and on its uplink what comes from outside of the pod network.
func checkNode(t *testing.T, l *lab.Lab, seen map[way]int, f lab.Flow) {
	t.Helper()
	pods := netip.PrefixFrom(l.Gateway.Addr, 24)
	outside := !f.Request.Src.Addr().Is6() && !pods.Contains(f.Request.Src.Addr()) || f.Request.Src.Addr() == l.Outsider.Addr6
	for _, d := range []lab.Direction{f.Request, f.Answer} {
		if n := seen[way{"br0", f.Proto, d}]; n == 0 {
			t.Errorf("%s is not seen on br0: %v", f.Leg, d)
		}
		if n := seen[way{"eth0", f.Proto, d}]; n > 0 != outside {
			t.Errorf("%s is seen %d times on the uplink, from outside: %t: %v", f.Leg, n, outside, d)
		}
	}
	if f.Leg == lab.LegUpstream && outside {
		t.Errorf("upstream connection from outside of the pod network: %v", f.Request)
	}
}

// TestConfigs runs all cases where ports and users are other ones.
func TestConfigs(t *testing.T) {
	for name, c := range map[string]lab.Config{
		"app port":         {AppPort: 40000},
		"app port tproxy":  {AppPort: 40000, Rules: lab.TProxy},
		"app port ambient": {AppPort: 40000, Rules: lab.Ambient},
		"ephemeral":        {Ephemeral: [2]int{10000, 14000}},
		"uid 201507":       {ProxyID: 201507, Rules: lab.DualStack},
		"root":             {RootProxy: true},
		"app port spared":  {AppPort: 40000, Rules: lab.Excludes},
		"localhost":        {Localhost: true},
		"bare ambient":     {Rules: lab.AmbientDNS6, BareListeners: true},
		"legacy tproxy":    {Rules: lab.TProxy6, Apply: lab.IPTablesLegacy},
		"legacy ambient":   {Rules: lab.AmbientDNS6, Apply: lab.IPTablesLegacy},
		"legacy dns":       {Rules: lab.DNS, Apply: lab.IPTablesLegacy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needApply(t, c.Apply)
			runCases(t, c)
		})
	}
}

func runCase(t *testing.T, l *lab.Lab, c lab.Case) {
	t.Helper()
	begun := false
	r, err := l.Run(t.Context(), c, func() error { begun = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if !begun {
		t.Error("the capture was not told to begin")
	}
	last := r.Exchanges[len(r.Exchanges)-1]
	if c.Fail != (last.Err != "") || !c.Fail && last.Status != 200 {
		t.Errorf("got %+v, want failure %t", last, c.Fail)
	}
	var legs []string
	for _, f := range r.Flows {
		legs = append(legs, f.Leg)
	}
	slices.Sort(legs)
	if !slices.Equal(legs, c.Legs) {
		t.Errorf("legs %q, want %q", legs, c.Legs)
		for _, f := range r.Flows {
			t.Logf("%s %s %v %v client %+v server %+v", f.Leg, f.Interface, f.Request, f.Answer, f.Client, f.Server)
		}
	}
}
