package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/nsswitch"
	"icap/pcapwriter"
)

// TestSeveralPods captures both ends of a call: the request leaves one pod and
// enters the other, and the file has it in this order.
func TestSeveralPods(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	app, server := "netns:"+l.App.Netns, "netns:"+l.Server.Netns
	port := fmt.Sprintf("tcp port %d", l.AppPort)
	for name, args := range map[string][]string{
		"--":       {app, server, app, "--", port},
		"--target": {"--target", app, "--target", server, port},
		"both":     {"--target", app, server, "--", port},
	} {
		t.Run(name, func(t *testing.T) {
			file := temp(t, "several.pcapng")
			p := start(t, nil, listening, icap(t, append([]string{"pod", "-w", file, "--wire"}, args...)...))
			if x, err := l.OutboundMesh(t.Context(), "/both-ends"); err != nil || x.Status != 200 {
				t.Fatalf("%d %s %v", x.Status, x.Err, err)
			}
			if code := p.end(syscall.SIGINT); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			got := readPcapng(t, file)
			out, in := "eth0:outbound-wire@"+app, "eth0:inbound-wire@"+server
			// The two ends of the wire may see packets of both directions cross.
			byData := func(a, b packet) int { return strings.Compare(a.data, b.data) }
			slices.SortFunc(got.interfaces[out], byData)
			slices.SortFunc(got.interfaces[in], byData)
			if len(got.interfaces) != 2 || !slices.Equal(got.interfaces[out], got.interfaces[in]) || len(got.interfaces[out]) < 6 {
				t.Errorf("%d packets leave, %d enter, of %d in all", len(got.interfaces[out]), len(got.interfaces[in]), got.total)
			}
			if !slices.IsSortedFunc(got.times, time.Time.Compare) {
				t.Error("the file is not in time order")
			}
			if n := strings.Count(p.text(), listening); n != 4 && n != 2 {
				t.Errorf("it listens %d times:\n%s", n, p.text())
			}
		})
	}
}

// TestSeveralPodsAsText says in every line which pod it is about.
func TestSeveralPodsAsText(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	app, server := "netns:"+l.App.Netns, "netns:"+l.Server.Netns
	cmd := icap(t, "pod", app, server, "--leg", "inbound-wire,outbound-wire", "--", "tcp[tcpflags] & tcp-syn != 0")
	var out strings.Builder
	cmd.Stdout = &out
	p := start(t, nil, listening, cmd)
	if x, err := l.OutboundMesh(t.Context(), "/"); err != nil || x.Status != 200 {
		t.Fatalf("%d %s %v", x.Status, x.Err, err)
	}
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	for _, want := range []string{"eth0:outbound-wire@" + app, "eth0:inbound-wire@" + server} {
		if strings.Count(out.String(), want) != 2 {
			t.Errorf("not twice %s in\n%s", want, out.String())
		}
	}
}

// TestInterfacesSayWhatTheyAre reads names and descriptions.
func TestInterfacesSayWhatTheyAre(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	file := temp(t, "labels.pcapng")
	p := start(t, nil, listening, icap(t, "pod", "netns:"+l.App.Netns, "-w", file))
	if x, err := l.OutboundMesh(t.Context(), "/"); err != nil || x.Status != 200 {
		t.Fatalf("%d %s %v", x.Status, x.Err, err)
	}
	if code := p.end(syscall.SIGINT); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	said := output(t, "tshark", "-r", file, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.interface_description")
	want := "lo:outbound-app@netns:" + l.App.Netns + "\tapp and proxy, plaintext; sidecar by REDIRECT, outbound to port 15001"
	if !strings.Contains(said, want) {
		t.Errorf("no %q in\n%s", want, said)
	}
	hosts := output(t, "tshark", "-r", file, "-q", "-z", "hosts")
	if want := fmt.Sprintf("%s\tnetns-%s", l.App.Addr, l.App.Netns); !strings.Contains(hosts, want) {
		t.Errorf("no %q in\n%s", want, hosts)
	}
}

// TestNeighbours names the addresses of pods that are not captured, but for
// one that two of them have.
func TestNeighbours(t *testing.T) {
	pid := os.Getpid()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18 + byte(i), byte(pid >> 8), byte(pid)}) }
	var all [4]*nsswitch.NS
	var names [4]string
	for i := range all {
		ns, name, err := lab.NewOwned(fmt.Sprintf("neighbour%d", i))
		if err != nil {
			labtest.Skip(t, err.Error())
		}
		t.Cleanup(func() {
			_ = ns.Close()
			if err := lab.RemoveNamespace(name); err != nil {
				t.Error(err)
			}
		})
		all[i], names[i] = ns, name
		// Somebody has to live there.
		sleep := exec.Command("sleep", "60")
		if err := ns.Do(sleep.Start); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = sleep.Process.Kill()
			_ = sleep.Wait()
		})
	}
	labtest.Veth(t, all[0], "eth0", all[1], "eth0", netip.PrefixFrom(addr(0), 32), netip.PrefixFrom(addr(1), 32))
	labtest.Veth(t, all[2], "eth0", all[3], "eth0", netip.PrefixFrom(addr(0), 32), netip.PrefixFrom(addr(0), 32))
	p, err := (&captureFlags{}).find("netns:" + names[1])
	if err != nil {
		t.Fatal(err)
	}
	defer p.ns.Close()
	p.about = "a pod"
	has := func(a netip.Addr) int {
		return slices.IndexFunc(neighbours([]*place{p}), func(n pcapwriter.Name) bool { return n.Addr == a })
	}
	if has(addr(0)) >= 0 || has(addr(1)) >= 0 {
		t.Errorf("there are names for what several have, or for the pod itself: %v", neighbours([]*place{p}))
	}
	if err := lab.AddAddr(all[0], "eth0", netip.PrefixFrom(addr(3), 32)); err != nil {
		t.Fatal(err)
	}
	i := has(addr(3))
	if i < 0 || neighbours([]*place{p})[i].Names[0] != "netns-"+names[0] {
		t.Errorf("%v has no name: %v", addr(3), neighbours([]*place{p}))
	}
}
