package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
	"icap/nsswitch"
)

// A named is a namespace with a name that can be replaced by another one of
// the same name, and a peer to get packets from.
type named struct {
	t    *testing.T
	name string
	peer *nsswitch.NS
	link string // in the peer
	net  byte   // of the addresses
	ns   *nsswitch.NS
}

func newNamed(t *testing.T) *named {
	t.Helper()
	labtest.Need(t)
	n := &named{t: t, name: fmt.Sprintf("icap-follow-%d", os.Getpid()), peer: labtest.Namespace(t), link: "peer"}
	n.make()
	t.Cleanup(n.remove)
	return n
}

// addr is that of the peer (1) or of the namespace (2).
func (n *named) addr(host byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 7, n.net, host}) }

func (n *named) make() {
	n.t.Helper()
	var err error
	if n.ns, err = lab.NewNamespace(n.name); err != nil {
		n.t.Fatal(err)
	}
	labtest.Veth(n.t, n.peer, n.link, n.ns, "eth0", netip.PrefixFrom(n.addr(1), 24), netip.PrefixFrom(n.addr(2), 24))
}

func (n *named) remove() {
	n.t.Helper()
	labtest.WithLink(n.t, n.peer, n.link, netlink.LinkDel)
	if err := n.ns.Close(); err != nil {
		n.t.Error(err)
	}
	if err := lab.RemoveNamespace(n.name); err != nil {
		n.t.Error(err)
	}
}

// redirect makes the namespace that of a pod with a proxy.
func (n *named) redirect() {
	n.t.Helper()
	rules, err := os.Open("../../internal/lab/testdata/sidecar-redirect.rules")
	if err != nil {
		n.t.Fatal(err)
	}
	defer rules.Close()
	restore := exec.Command("iptables-restore", "-w", "5")
	restore.Stdin = rules
	if err := n.ns.Do(restore.Run); err != nil {
		n.t.Fatal(err)
	}
}

func (n *named) send(packets int) {
	n.t.Helper()
	if got, err := lab.SendUDP(n.peer, netip.AddrPortFrom(n.addr(2), 9), packets, 100); got != packets || err != nil {
		n.t.Errorf("sent %d of %d: %v", got, packets, err)
	}
}

// connect tries to connect to a port where nobody listens.
func (n *named) connect() {
	n.t.Helper()
	err := n.peer.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{10, 7, 0, 2}, Port: 9})
	})
	if !errors.Is(err, unix.ECONNREFUSED) {
		n.t.Errorf("connect: %v, want %v", err, unix.ECONNREFUSED)
	}
}

// says waits until a program has said something so often.
func (p *proc) says(what string, times int) {
	p.t.Helper()
	for end := time.Now().Add(100 * time.Second); strings.Count(p.text(), what) < times; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not %d times %q in\n%s", times, what, p.text())
		}
	}
}

// rings is how many rings a process has mapped.
func (p *proc) rings() int {
	p.t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Count(string(maps), "socket:[")
}

// TestFollow replaces a namespace several times: each has interfaces of its
// own in the file, and the rings of those before are given back.
func TestFollow(t *testing.T) {
	n := newNamed(t)
	file := temp(t, "follow.pcapng")
	p := start(t, nil, listening+" eth0", icap(t, "pod", "netns:"+n.name, "--follow", "-w", file, "--stats-interval", "100ms", "--", "udp port 9"))
	n.send(10)
	for i := range 3 {
		n.remove()
		p.says("is gone; waiting for it to come back", i+1)
		n.make()
		p.says(listening+" eth0", i+2)
		n.send(10)
	}
	for end := time.Now().Add(5 * time.Second); p.rings() > 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d rings, want 2: those of lo and eth0", p.rings())
		}
	}
	for _, rights := range threadRights(t, p.Process.Pid) {
		if !strings.Contains(rights, "CapPrm=0 CapEff=0 ") || !strings.HasSuffix(rights, "NoNewPrivs=1 Seccomp=2") {
			t.Errorf("what takes up the pods is the helper, and a thread of the capture has %s", rights)
		}
	}
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if !strings.Contains(p.text(), "\n40 packets captured\n40 packets received by filter\n") {
		t.Errorf("not 40 packets:\n%s", p.text())
	}
	got := readPcapng(t, file)
	if name := "eth0:direct@netns:" + n.name; len(got.interfaces[name]) != 40 || got.total != 40 {
		t.Errorf("%d packets, %d on %s", got.total, len(got.interfaces[name]), name)
	}
	if !slices.IsSortedFunc(got.times, time.Time.Compare) {
		t.Error("the file is not in time order")
	}
	ids := strings.Fields(output(t, "tshark", "-r", file, "-T", "fields", "-e", "frame.interface_id"))
	if ids = slices.Compact(ids); len(ids) != 4 {
		t.Errorf("packets on interfaces %v, want 4 one after the other", ids)
	}
	output(t, "tcpdump", "-n", "-r", file)
	lines, err := icap(t, "-r", file, "-n").Output()
	if n := strings.Count(string(lines), "\n"); err != nil || n != 40 {
		t.Errorf("icap -r prints %d lines, %v", n, err)
	}
}

// TestFollowFifty follows fifty namespaces that are all replaced, twice, and has
// what it had before.
func TestFollowFifty(t *testing.T) {
	labtest.Need(t)
	const many = 50
	peer := labtest.Namespace(t)
	all := make([]*named, many)
	args := []string{"pod", "--follow", "-w", temp(t, "fifty.pcapng")}
	for i := range all {
		all[i] = &named{t: t, name: fmt.Sprintf("icap-fifty-%d-%d", os.Getpid(), i), peer: peer, link: fmt.Sprintf("peer%d", i), net: byte(i)}
		all[i].make()
		t.Cleanup(all[i].remove)
		args = append(args, "netns:"+all[i].name)
	}
	p := start(t, nil, fmt.Sprintf("%s eth0@netns:%s", listening, all[many-1].name), icap(t, append(args, "--", "udp port 9")...))
	p.says(listening+" eth0", many)
	before := p.uses()
	for round := range 3 {
		for _, n := range all {
			n.send(2)
		}
		if round == 2 {
			break
		}
		for _, n := range all {
			n.remove()
		}
		p.says("is gone; waiting for it to come back", (round+1)*many)
		for _, n := range all {
			n.make()
		}
		p.says(listening+" eth0", (round+2)*many)
	}
	await(t, "the end of the old rings", func() bool { return p.rings() == 2*many })
	// A look at a namespace takes a descriptor for a moment.
	await(t, "as many descriptors and namespaces as before", func() bool {
		now := p.uses()
		return now.descriptors == before.descriptors && now.namespaces == before.namespaces
	})
	// Each pod may take one at a time. Go gives none back; TestSoak shows that
	// they do not become more.
	if after := p.uses(); after.threads > before.threads+many {
		t.Errorf("%d threads, where there were %d", after.threads, before.threads)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), "\n300 packets captured\n300 packets received") {
		t.Errorf("exit code %d\n%s", code, p.text()[max(0, len(p.text())-1000):])
	}
}

// TestFollowAsText prints the packets of both namespaces, beside a file too,
// and icap events, which reads what is captured as a file, goes on as well.
func TestFollowAsText(t *testing.T) {
	n := newNamed(t)
	var out strings.Builder
	text := icap(t, "pod", "netns:"+n.name, "--follow", "--", "udp port 9")
	text.Stdout = &out
	p := start(t, nil, listening+" eth0", text)
	var beside strings.Builder
	both := icap(t, "pod", "netns:"+n.name, "--follow", "-w", temp(t, "both.pcapng"), "--print", "--", "udp port 9")
	both.Stdout = &beside
	b := start(t, nil, listening+" eth0", both)
	var seen strings.Builder
	events := icap(t, "events", "netns:"+n.name, "--follow")
	events.Stdout = &seen
	e := start(t, nil, listening+" eth0", events)
	n.send(3)
	n.remove()
	n.make()
	p.says(listening+" eth0", 2)
	b.says(listening+" eth0", 2)
	e.says(listening+" eth0", 2)
	n.send(4)
	n.connect()
	for _, q := range []*proc{p, b, e} {
		if code := q.end(syscall.SIGINT); code != exitDone {
			t.Errorf("exit code %d\n%s", code, q.text())
		}
	}
	for _, lines := range []string{out.String(), beside.String()} {
		if n := strings.Count(lines, "eth0:direct"); n != 7 {
			t.Errorf("%d lines, want 7:\n%s", n, lines)
		}
	}
	if !strings.Contains(seen.String(), "10.7.0.2:9 SYN") {
		t.Errorf("no event of the second namespace:\n%s", seen.String())
	}
}

// TestFollowLateSidecar captures before there are rules, and tells the legs
// once there are.
func TestFollowLateSidecar(t *testing.T) {
	if _, err := exec.LookPath("iptables-restore"); err != nil {
		labtest.Skip(t, "needs iptables-restore")
	}
	n := newNamed(t)
	file := temp(t, "late.pcapng")
	p := start(t, nil, listening+" eth0", icap(t, "pod", "netns:"+n.name, "--follow", "-w", file))
	p.says("no proxy: nothing is redirected", 1)
	n.send(10)
	n.redirect()
	p.says(listening+" eth0", 2)
	p.says("sidecar by REDIRECT", 1)
	n.send(10)
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	legs := output(t, "tshark", "-r", file, "-Y", "udp.dstport == 9 && !icmp", "-T", "fields", "-e", "frame.interface_description")
	if strings.Count(legs, "nothing is redirected") != 10 || strings.Count(legs, "sidecar by REDIRECT") != 10 {
		t.Errorf("not 10 packets before and after:\n%s", legs)
	}
}

// TestFollowHandsOver sends all the time while a pod becomes a sidecar, and so
// gets new rings: no packet is missing, and none is there twice but for those of
// the moment.
func TestFollowHandsOver(t *testing.T) {
	if _, err := exec.LookPath("iptables-restore"); err != nil {
		labtest.Skip(t, "needs iptables-restore")
	}
	n := newNamed(t)
	file := temp(t, "over.pcapng")
	p := start(t, nil, listening+" eth0", icap(t, "pod", "netns:"+n.name, "--follow", "-w", file, "--", "udp port 9"))
	enough := make(chan struct{})
	sent := make(chan int)
	go func() {
		for all := 0; ; all += 5 {
			select {
			case <-enough:
				sent <- all
				return
			case <-time.After(time.Millisecond):
				n.send(5)
			}
		}
	}()
	n.redirect()
	p.says(listening+" eth0", 2)
	time.Sleep(100 * time.Millisecond) // for what the new rings are sent
	close(enough)
	want := <-sent
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	if got := readPcapng(t, file).total; got < want || got > want+10 {
		t.Errorf("%d packets, %d were sent\n%s", got, want, p.text())
	}
}

// TestFollowNeedsAName refuses what is another's after a restart.
func TestFollowNeedsAName(t *testing.T) {
	labtest.Need(t)
	for _, target := range []string{"self", "host", fmt.Sprintf("pid:%d", os.Getpid())} {
		out, err := icap(t, "pod", target, "--follow").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "cannot be found again") {
			t.Errorf("%s: %v\n%s", target, err, out)
		}
	}
}

func TestMore(t *testing.T) {
	eth0 := istiofilter.Interface{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	lo := istiofilter.Interface{Name: "lo", Loopback: true}
	bare := istiofilter.Pod{Interfaces: []istiofilter.Interface{lo}}
	plain := istiofilter.Pod{Interfaces: []istiofilter.Interface{lo, eth0}, Listening: []uint16{80}}
	ruled, ready, other := plain, plain, plain
	ruled.Outbound, ruled.Inbound = 15001, 15006
	ready.Outbound, ready.Inbound, ready.Admin = 15001, 15006, []uint16{15021}
	other.Listening = nil
	for name, tt := range map[string]struct {
		now, was istiofilter.Pod
		want     bool
	}{
		"nothing":             {plain, plain, false},
		"the app restarts":    {other, plain, false},
		"the app is back":     {plain, other, false},
		"rules":               {ruled, plain, true},
		"the proxy listens":   {ready, ruled, true},
		"the proxy restarts":  {ruled, ready, false},
		"the network is set":  {plain, bare, true},
		"the network is gone": {bare, plain, false},
		"rules are taken":     {plain, ruled, false},
	} {
		if got := more(&tt.now, &tt.was); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
