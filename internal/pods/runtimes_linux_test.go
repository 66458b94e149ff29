package pods

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runtimes are the cgroups of a container in each runtime with each driver:
// the first for the sandbox, the second for the app. %[1]s is the UID of the
// pod, %[2]s the same as systemd writes it, and %[3]s the ID of the container.
var runtimes = map[string]string{
	"containerd cgroupfs":         "kubepods/burstable/pod%[1]s/%[3]s",
	"containerd systemd":          "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%[2]s.slice/cri-containerd-%[3]s.scope",
	"containerd mixed":            "system.slice/containerd.service/kubepods-burstable-pod%[2]s.slice:cri-containerd:%[3]s",
	"CRI-O cgroupfs":              "kubepods/besteffort/pod%[1]s/crio-%[3]s",
	"CRI-O systemd":               "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod%[2]s.slice/crio-%[3]s.scope",
	"CRI-O systemd with crun":     "kubepods.slice/kubepods-pod%[2]s.slice/crio-%[3]s.scope/container",
	"docker cgroupfs":             "kubepods/burstable/pod%[1]s/%[3]s",
	"docker systemd":              "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%[2]s.slice/docker-%[3]s.scope",
	"containerd in docker (kind)": "docker/" + fmt.Sprintf("%064x", 0xabc) + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod%[2]s.slice/cri-containerd-%[3]s.scope",
}

// hierarchies write a cgroup's path the way each version of cgroups shows it.
var hierarchies = map[string]string{
	"v2":     "0::/%[1]s\n",
	"v1":     "12:memory:/%[1]s\n11:cpu,cpuacct:/%[1]s\n1:name=systemd:/%[1]s\n",
	"hybrid": "2:cpu:/%[1]s\n1:name=systemd:/%[1]s\n0::/\n",
}

// TestRuntimes scans a node of every runtime, driver and version of cgroups: a
// sandbox, an app and a proxy, found by name, container and process.
func TestRuntimes(t *testing.T) {
	for runtime, path := range runtimes {
		for version, hierarchy := range hierarchies {
			t.Run(runtime+" "+version, func(t *testing.T) {
				n := newNode(t)
				n.process(2, "kthreadd", "0::/\n", "host", nil)
				cgroup := func(id int) string {
					return fmt.Sprintf(hierarchy, fmt.Sprintf(path, uidOf(1), strings.ReplaceAll(uidOf(1), "-", "_"), fmt.Sprintf("%064x", id)))
				}
				n.process(90, "conmon", "0::/kubepods.slice/crio-conmon-"+fmt.Sprintf("%064x", 1)+".scope\n", "host", nil)
				sandbox := n.process(100, "pause", cgroup(0xa), "cni-1", map[string]string{"root/etc/hostname": "web-0\n"})
				n.process(101, "server", cgroup(0xb), "cni-1", map[string]string{"root/etc/hostname": "web-0\n"})
				n.process(102, "pilot-agent", cgroup(0xc), "cni-1", map[string]string{
					"cmdline": "pilot-agent\x00proxy\x00sidecar\x00--domain\x00shop.svc.cluster.local\x00",
					"environ": "ISTIO_META_WORKLOAD_NAME=web\x00ISTIO_META_INTERCEPTION_MODE=TPROXY\x00",
				})
				found, err := n.scanner().Scan()
				if err != nil {
					t.Fatal(err)
				}
				p := found[0]
				if p.Title() != "web-0.shop" || p.UID != uidOf(1) || p.Inode != n.inode("cni-1") || p.Netns != "cni-1" || len(p.Processes) != 3 {
					t.Errorf("found %+v", p)
				}
				if p.Role != Sidecar || p.Workload != "web" || p.Interception != "TPROXY" {
					t.Errorf("role %v, workload %q, interception %q", p.Role, p.Workload, p.Interception)
				}
				for _, target := range []string{"shop/web-0", "web-0.shop", "web-0", "container:" + fmt.Sprintf("%060x", 0), "inode:" + fmt.Sprint(p.Inode)} {
					parsed, err := ParseTarget(target)
					if err != nil {
						t.Fatal(err)
					}
					got, err := n.scanner().Resolve(parsed)
					if strings.HasPrefix(target, "container:") {
						if err == nil || !strings.Contains(err.Error(), "several containers") {
							t.Errorf("%s: %+v, %v", target, got, err)
						}
						continue
					}
					if err != nil || *got.Process != sandbox || got.Title != "web-0.shop" {
						t.Errorf("%s: %+v, %v", target, got, err)
					}
				}
			})
		}
	}
}

// TestRolesByPorts finds the role of a pod whose proxy says nothing.
func TestRolesByPorts(t *testing.T) {
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	line := func(port int, state string) string {
		return fmt.Sprintf("   0: 00000000:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000  1337        0 1 1 0 100 0 0 10 0\n", port, state)
	}
	n := newNode(t)
	n.process(2, "kthreadd", "0::/\n", "host", nil)
	n.process(100, "envoy", cgroupOf(1, 1), "a", map[string]string{
		"net/tcp": heading + line(15001, "0A") + line(15006, "0A") + line(15090, "0A") + line(15012, "01")})
	n.process(200, "envoy", cgroupOf(2, 2), "b", map[string]string{
		"net/tcp": heading + line(8443, "0A") + line(15090, "0A"), "net/tcp6": heading + line(15021, "0A")})
	// A connection to a port is not somebody who listens on it.
	n.process(300, "envoy", cgroupOf(3, 3), "c", map[string]string{
		"net/tcp": heading + line(8080, "0A") + line(15001, "01") + line(15006, "01") + line(15021, "01")})
	found, err := n.scanner().Scan()
	if err != nil {
		t.Fatal(err)
	}
	var got []Role
	for _, p := range found[:3] {
		got = append(got, p.Role)
	}
	if want := []Role{Sidecar, Gateway, Plain}; !slices.Equal(got, want) {
		t.Errorf("roles %v, want %v", got, want)
	}
}

func TestAddrs(t *testing.T) {
	const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.244.0.0/24 2 0 2
        |-- 10.244.0.0
           /24 link UNICAST
        |-- 10.244.0.11
           /32 host LOCAL
        |-- 10.244.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
Local:
        |-- 10.244.0.11
           /32 host LOCAL
        |-- 169.254.1.1
           /32 host LOCAL
`
	const inet6 = `00000000000000000000000000000001 01 80 10 80       lo
00000000000000000000000000000006 01 80 00 80       lo
fe80000000000000d8a1c5fffe3c1b2a 02 40 20 80     eth0
fd000010024400000000000000000011 02 40 00 80     eth0
`
	n := newNode(t)
	proc := n.process(100, "pause", cgroupOf(1, 1), "a", map[string]string{"net/fib_trie": trie, "net/if_inet6": inet6})
	got := n.scanner().Addrs(&Pod{Processes: []Process{proc}})
	want := []netip.Addr{netip.MustParseAddr("10.244.0.11"), netip.MustParseAddr("fd00:10:244::11")}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := n.scanner().Addrs(&Pod{Host: true, Processes: []Process{proc}}); got != nil {
		t.Errorf("a pod on the node's network has %v", got)
	}
}

// TestOnNode finds the node's directories below the root of process 1, and
// beside the proc file system where that is closed.
func TestOnNode(t *testing.T) {
	n := newNode(t)
	n.process(100, "pause", cgroupOf(1, 1), "a", nil)
	s := Scanner{Proc: filepath.Join(n.dir, "proc")}
	name := func() string {
		t.Helper()
		found, err := s.Scan()
		if err != nil || len(found) != 1 {
			t.Fatalf("%d pods, %v", len(found), err)
		}
		return found[0].Title()
	}
	n.write("var/log/pods/shop_beside_"+uidOf(1)+"/x", "")
	if got := name(); got != "beside.shop" {
		t.Errorf("beside /proc: %s", got)
	}
	n.write("proc/1/root/var/log/pods/shop_below_"+uidOf(1)+"/x", "")
	if got := name(); got != "below.shop" {
		t.Errorf("below process 1: %s", got)
	}
}

// BenchmarkScan500 scans a node with 60 pods and 500 processes.
func BenchmarkScan500(b *testing.B) {
	n := node{b, b.TempDir()}
	n.process(2, "kthreadd", "0::/\n", "host", nil)
	pid := 100
	for pod := range 60 {
		n.write(fmt.Sprintf("logs/shop_web-%d_%s/x", pod, uidOf(pod)), "")
		for range 8 {
			n.process(pid, "server", cgroupOf(pod, pid), fmt.Sprintf("cni-%d", pod), nil)
			pid++
		}
		n.process(pid, "pilot-agent", cgroupOf(pod, pid), fmt.Sprintf("cni-%d", pod), map[string]string{
			"cmdline": "pilot-agent\x00proxy\x00sidecar\x00", "environ": strings.Repeat("A=1\x00", 200)})
		pid++
	}
	for b.Loop() {
		found, err := n.scanner().Scan()
		if err != nil || len(found) != 60 {
			b.Fatalf("%d pods, %v", len(found), err)
		}
	}
	b.ReportMetric(float64(pid-100), "processes")
}
