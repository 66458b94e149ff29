package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/kernel"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
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
			file := temp(t, "several.pcap") // as awaitQuiet looks for
			p := start(t, nil, listening, icap(t, append([]string{"pod", "-w", file, "--wire"}, args...)...))
			if x, err := l.OutboundMesh(t.Context(), "/both-ends"); err != nil || x.Status != 200 {
				t.Fatalf("%d %s %v", x.Status, x.Err, err)
			}
			awaitQuiet(t, filepath.Dir(file))
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

// TestInterfacesSayWhatTheyAre reads names, descriptions and the names of
// addresses, those of pods that are not captured too.
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
	// Other tests have pods of the same addresses, and then there is no name.
	for _, pod := range []*lab.Pod{l.Server, l.Client} {
		named := strings.Contains(hosts, pod.Addr.String()+"\t")
		if want := fmt.Sprintf("%s\tnetns-%s", pod.Addr, pod.Netns); named && !strings.Contains(hosts, want) {
			t.Errorf("no %q in\n%s", want, hosts)
		}
	}
}

// TestUnambiguous names addresses of one pod only.
func TestUnambiguous(t *testing.T) {
	name := func(addr, name string) pcapwriter.Name {
		return pcapwriter.Name{Addr: netip.MustParseAddr(addr), Names: []string{name}}
	}
	captured := &place{links: []kernel.Link{{Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.9/24")}}}}
	got := unambiguous([]pcapwriter.Name{
		name("10.0.0.1", "a"), name("10.0.0.2", "b"), name("10.0.0.3", "a"), name("10.0.0.2", "c"), name("10.0.0.9", "d"),
	}, []*place{captured})
	if fmt.Sprint(got) != fmt.Sprint([]pcapwriter.Name{name("10.0.0.1", "a"), name("10.0.0.3", "a")}) {
		t.Errorf("%v", got)
	}
}
