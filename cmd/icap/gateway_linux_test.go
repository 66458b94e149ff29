package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestGateway captures a gateway in its own namespace, and on the node's
// bridge, where there are other pods' packets, too. A tcpdump in the gateway's
// namespace says what there was.
func TestGateway(t *testing.T) {
	t.Parallel()
	l := labtest.New(t, lab.Config{Rules: lab.DNS, Gateway: true})
	gw, addr := "netns:"+l.Gateway.Netns, l.Gateway.Addr.String()
	both := addr
	if l.Gateway.Addr6.IsValid() {
		both += "," + l.Gateway.Addr6.String()
	}
	const cidr, wide = "10.244.0.0/16", "10.244.7.0/16"
	for _, c := range []struct {
		name   string
		args   []string
		onNode bool
		legs   []string
		older  bool // it can tell connections that are older
		inside bool // it can tell clients inside the cluster
	}{
		{"own namespace", []string{gw}, false, []string{lab.LegDownstream, lab.LegUpstream}, true, true},
		{"downstream", []string{gw, "--downstream"}, false, []string{lab.LegDownstream}, true, true},
		{"upstream", []string{gw, "--upstream"}, false, []string{lab.LegUpstream}, true, true},
		{"bridge, by pod", []string{gw, "-i", "br0"}, true, []string{lab.LegDownstream, lab.LegUpstream}, true, true},
		{"bridge, by address", []string{"-i", "br0", "--gateway-ip", both, "--pod-cidr", wide}, true, []string{lab.LegDownstream, lab.LegUpstream}, true, true},
		{"bridge, upstream", []string{"-i", "br0", "--gateway-ip", both, "--upstream"}, true, []string{lab.LegUpstream}, false, true},
		{"bridge, by network", []string{"-i", "br0", "--pod-cidr", cidr, "--upstream", "host", addr}, true, []string{lab.LegUpstream}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := dir + "/gw.pcapng"
			peer := tcpdump(t, l.Gateway.NS, dir+"/eth0.pcap", "-i", "eth0", "tcp")
			var p *proc
			var flows []lab.Flow
			begin := func() error {
				ns := l.Node.NS
				if !c.onNode {
					ns = nil
				}
				p = start(t, ns, listening, icap(t, append([]string{"gateway", "-w", file}, c.args...)...))
				return nil
			}
			cases := slices.DeleteFunc(l.GatewayCases(), func(g lab.Case) bool {
				return g.Name == "gateway-refused" || isOlder(g) || !c.inside && g.Name == "gateway-inside"
			})
			if i := slices.IndexFunc(l.GatewayCases(), isOlder); c.older {
				r, err := l.Run(t.Context(), l.GatewayCases()[i], begin)
				if err != nil {
					t.Fatal(err)
				}
				flows = r.Flows
			} else if err := begin(); err != nil {
				t.Fatal(err)
			}
			flows = append(flows, runCases(t, l, cases)...)
			awaitQuiet(t, dir)
			if code := p.end(syscall.SIGTERM); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			if code := peer.end(syscall.SIGINT); code != 0 {
				t.Fatalf("tcpdump ends with %d\n%s", code, peer.text())
			}
			t.Log(p.text())
			checkGateway(t, file, readPcap(t, dir+"/eth0.pcap"), flows, c.legs)
		})
	}
}

// checkGateway holds the file against the truth: all packets of the legs are
// in it, but for those of before, and no others.
func checkGateway(t *testing.T, file string, there []packet, flows []lab.Flow, want []string) {
	t.Helper()
	legs := truth(flows)
	count := make(map[string]int)
	var all []packet
	for name, packets := range readPcapng(t, file).interfaces {
		_, rest, _ := strings.Cut(name, ":")
		leg, _, _ := strings.Cut(rest, "@")
		for _, p := range packets {
			s, _ := seenIn("eth0", p.data)
			if legs[s] != leg || !slices.Contains(want, leg) {
				t.Errorf("%+v is on %s, want %q", s, leg, legs[s])
			}
			count[leg]++
		}
		all = append(all, packets...)
	}
	t.Logf("packets on legs: %v", count)
	for _, leg := range want {
		if count[leg] < 40 {
			t.Errorf("%d packets on %s", count[leg], leg)
		}
	}
	// The first packets are those of a connection that is older.
	missing := 0
	for i, p := range less(there, all) {
		s, _ := seenIn("eth0", p.data)
		if slices.Contains(want, legs[s]) {
			missing++
			if i > 40 {
				t.Errorf("%+v is missing", s)
			}
		}
	}
	if missing > 40 {
		t.Errorf("%d packets are missing", missing)
	}
}

// TestGatewayNetworks shows what the command says of the networks, and
// refuses.
func TestGatewayNetworks(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.DNS, Gateway: true})
	gw := "netns:" + l.Gateway.Netns
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{gw, "--pod-cidr", "192.168.0.0/12,fd00::1/8", "--service-cidr", "10.96.0.1"}, 0, []string{
			"note: --pod-cidr 192.168.0.0/12 -> 192.160.0.0/12\n", "networks of pods: 192.160.0.0/12, fd00::/8 (--pod-cidr)\n",
			"networks of services: 10.96.0.1/32", "gateway, listening on port ",
		}},
		{[]string{gw, "--pod-cidr", "192.168.0.0/12", "--cidr-strict"}, 2, []string{"host bits are set; 192.160.0.0/12 has none"}},
		{[]string{gw, "--pod-cidr", "nonsense"}, 2, []string{"nonsense: not a network"}},
		{[]string{"-i", "lo", "--gateway-ip", "x", "--pod-cidr", "10.0.0.0/8"}, 2, []string{"--gateway-ip x: not an address"}},
		{[]string{"netns:" + l.App.Netns}, 2, []string{"is no gateway: sidecar by REDIRECT", "icap pod"}},
		{nil, 2, []string{"a TARGET is needed"}},
	} {
		cmd := icap(t, append([]string{"gateway", "--print-filters"}, c.args...)...)
		var text strings.Builder
		cmd.Stdout, cmd.Stderr = &text, &text
		_ = cmd.Run() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%v: exit code %d\n%s", c.args, code, text.String())
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%v: no %q in\n%s", c.args, want, text.String())
			}
		}
	}
}

// TestClusterNetworks finds networks on nodes of many kinds.
func TestClusterNetworks(t *testing.T) {
	cmdline := func(args ...string) string { return strings.Join(args, "\x00") + "\x00" }
	for name, c := range map[string]struct {
		files          map[string]string
		pods, services string
		source         string
	}{
		"kubeadm": {map[string]string{
			"proc/100/cmdline":            cmdline("/usr/bin/kube-controller-manager", "--cluster-cidr=192.168.0.0/12,fd00:10::/56", "--service-cluster-ip-range=10.96.0.0/12"),
			"proc/90/cmdline":             cmdline("kube-apiserver", "--service-cluster-ip-range", "10.96.0.0/12"),
			"proc/80/cmdline":             cmdline("grep", "--cluster-cidr=1.0.0.0/8"),
			"etc/cni/net.d/10-x.conflist": `{"plugins":[{"ipam":{"subnet":"10.1.0.0/24"}}]}`,
		}, "192.160.0.0/12, fd00:10::/56", "10.96.0.0/12", "--cluster-cidr of kube-controller-manager, pid 100"},
		"k3s": {map[string]string{
			"proc/7/cmdline": cmdline("/usr/local/bin/k3s", "server", "--cluster-cidr", "10.42.0.0/16", "--service-cidr", "10.43.0.0/16"),
		}, "10.42.0.0/16", "10.43.0.0/16", "--cluster-cidr of k3s, pid 7"},
		"kubelet": {map[string]string{
			"proc/7/cmdline": cmdline("kubelet", "--pod-cidr=10.88.0.0/16"),
		}, "10.88.0.0/16", "", "--pod-cidr of kubelet, pid 7"},
		"kube-proxy": {map[string]string{
			"proc/7/cmdline": cmdline("kube-proxy", "--config=/var/lib/kube-proxy/config.conf"),
			"proc/7/root/var/lib/kube-proxy/config.conf": "bindAddress: 0.0.0.0\nclusterCIDR: \"10.244.0.0/16\"\n",
		}, "10.244.0.0/16", "", "clusterCIDR in /var/lib/kube-proxy/config.conf of kube-proxy, pid 7"},
		"flannel": {map[string]string{
			"run/flannel/subnet.env": "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_IPV6_NETWORK=fd01::/48\n",
		}, "10.244.0.0/16, fd01::/48", "", "/run/flannel/subnet.env"},
		"cni": {map[string]string{
			"etc/cni/net.d/10-bridge.conflist": `{"plugins":[{"type":"bridge","ipam":{"ranges":[[{"subnet":"10.85.0.0/16"}],[{"subnet":"1100:200::/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}`,
			"etc/cni/net.d/20-calico.conf":     `{"ipam":{"ipv4_pools":["10.86.0.0/16","default-pool"]}}`,
			"etc/cni/net.d/30-broken.conf":     `{`,
		}, "10.85.0.0/16, 1100:200::/24, 10.86.0.0/16", "", "/etc/cni/net.d/10-bridge.conflist, /etc/cni/net.d/20-calico.conf"},
		"routes": {map[string]string{
			"proc/1/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
				"eth0\t00000000\t010014AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
				"cni0\t0001F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" +
				"flannel.1\t0002F40A\t0002F40A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
			"proc/1/net/ipv6_route": "fd000010024400010000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     cni0\n" +
				"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     cni0\n",
		}, "10.244.1.0/24, 10.244.2.0/24, fd00:10:244:1::/64", "", "routes to the interfaces of CNI plugins"},
		"nothing": {nil, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range c.files {
				path := root + "/" + file
				if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			n := node{proc: root + "/proc", root: root}
			pods, services := n.podNetworks(), n.serviceNetworks()
			if join(pods.nets) != c.pods || join(services.nets) != c.services || pods.source != c.source {
				t.Errorf("pods %s (%s), services %s", join(pods.nets), pods.source, join(services.nets))
			}
		})
	}
}
