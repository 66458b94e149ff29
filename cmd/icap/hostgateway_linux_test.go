package main

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/internal/pods"
)

// TestHostGateway captures a gateway in the network of its node, where others
// make connections from the same address and listen on it.
func TestHostGateway(t *testing.T) {
	t.Parallel()
	l := labtest.New(t, lab.Config{HostGateway: true})
	dir := t.TempDir()
	file := dir + "/gw.pcapng"
	peers := make(map[string]*proc)
	for _, iface := range []string{"br0", "eth0"} {
		peers[iface] = tcpdump(t, l.Node.NS, dir+"/"+iface+".pcap", "-i", iface, "tcp")
	}

	// A pod has the node's network only where the kernel's threads are, and so
	// it is told here what the gateway is.
	p, err := new(captureFlags).find("netns:" + l.Node.Netns)
	if err != nil {
		t.Fatal(err)
	}
	p.pod = &pods.Pod{
		Name: "ingress", Namespace: "edge", UID: "1", Host: true, Role: pods.Gateway,
		Processes: []pods.Process{{PID: l.Gateway.ProxyPID, UID: l.Gateway.ProxyUID, Command: "envoy"}},
	}
	var said bytes.Buffer
	cmd := new(cobra.Command)
	cmd.SetErr(&said)
	var f captureFlags
	f.register(cmd.Flags())
	f.output, f.guard.off = file, true // the test goes on
	s := newSession(cmd, &f)
	gf := gatewayFlags{cluster: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00::/8")}}
	g := &gatewayPlace{place: p, of: p}
	defer g.close()
	if err := gf.describe(s, g); err != nil {
		t.Fatal(err)
	}
	if err := s.addGateway(g, gf.chosen(), ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	running, ended := make(chan struct{}), make(chan error, 1)
	s.started = func() { close(running) }
	go func() { ended <- s.run(ctx) }()
	select {
	case <-running:
	case err := <-ended:
		t.Fatalf("%v\n%s", err, said.String())
	}

	flows := runCases(t, l, slices.DeleteFunc(l.GatewayCases(), isOlder))
	for _, r := range []struct {
		from *lab.Pod
		to   netip.AddrPort
	}{
		{l.Node, l.Outside},
		{l.Outsider, netip.AddrPortFrom(l.Gateway.Addr, 22)}, // where nobody listens
	} {
		// It lasts long enough to be asked about.
		if _, err := l.Do(t.Context(), r.from, lab.Request{To: r.to, Path: "/others", Count: 2, Pause: 100 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	awaitQuiet(t, dir)
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	t.Log(said.String())
	if !strings.Contains(said.String(), "listening on port 8080, 8081, 8443, 15443, in the network of the node") {
		t.Errorf("not the gateway's ports")
	}
	var there []packet
	for iface, peer := range peers {
		if code := peer.end(syscall.SIGINT); code != 0 {
			t.Fatalf("tcpdump ends with %d\n%s", code, peer.text())
		}
		there = append(there, readPcap(t, dir+"/"+iface+".pcap")...)
	}
	checkHostGateway(t, file, there, truth(flows))
}

// checkHostGateway has every packet of the two legs in the file, and no other.
func checkHostGateway(t *testing.T, file string, there []packet, legs map[seen]string) {
	t.Helper()
	count := make(map[string]int)
	var all []packet
	for name, packets := range readPcapng(t, file).interfaces {
		_, rest, _ := strings.Cut(name, ":")
		leg, _, _ := strings.Cut(rest, "@")
		for _, p := range packets {
			if s, _ := seenIn("eth0", p.data); legs[s] != leg {
				t.Errorf("%+v is on %s, want %q", s, leg, legs[s])
			}
			count[leg]++
		}
		all = append(all, packets...)
	}
	t.Logf("packets on legs: %v", count)
	for _, leg := range []string{lab.LegDownstream, lab.LegUpstream} {
		if count[leg] < 40 {
			t.Errorf("%d packets on %s", count[leg], leg)
		}
	}
	for _, p := range less(there, all) {
		if s, _ := seenIn("eth0", p.data); legs[s] == lab.LegDownstream || legs[s] == lab.LegUpstream {
			t.Errorf("%+v of %s is missing", s, legs[s])
		}
	}
}
