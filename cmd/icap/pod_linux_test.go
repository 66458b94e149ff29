package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// legFilters are exact for the traffic of the lab: what a person would type
// who knows every address and port of it.
func legFilters(l *lab.Lab) map[string][]string {
	pod, server, client := l.App.Addr, l.Server.Addr, l.Client.Addr
	return map[string][]string{
		"inbound-wire": {"eth0", fmt.Sprintf("tcp and ((dst host %[1]s and dst port %[2]d) or (src host %[1]s and src port %[2]d))", pod, l.AppPort)},
		"inbound-app":  {"lo", "tcp and host 127.0.0.6"},
		"outbound-app": {"lo", fmt.Sprintf("tcp and ((dst host 127.0.0.1 and dst port 15001) or (dst host %[1]s and not src host %[1]s and not src net 127.0.0.0/8))", pod)},
		"outbound-wire": {"eth0", fmt.Sprintf("tcp and ((host %s and port %d) or (host %s and port %d))",
			server, l.AppPort, client, l.Outside.Port())},
	}
}

// TestPodAgainstTcpdump holds each leg of the one file against a tcpdump of
// its own, of the same run.
func TestPodAgainstTcpdump(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Today, lab.Article} {
		t.Run(rules.String(), func(t *testing.T) {
			l := labtest.New(t, lab.Config{Rules: rules})
			dir := t.TempDir()
			peers := make(map[string]*proc)
			for leg, f := range legFilters(l) {
				peers[leg] = tcpdump(t, l.App.NS, dir+"/"+leg+".pcap", "-i", f[0], f[1])
			}
			// tcpdump says that it listens before it does. What it has seen
			// of a first round shows that it really does.
			before := make(map[string]int)
			askAll(t, l)
			awaitQuiet(t, dir)
			for leg := range peers {
				before[leg] = len(readPcap(t, dir+"/"+leg+".pcap"))
			}
			file := dir + "/pod.pcapng"
			p := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "-w", file))
			askAll(t, l)
			awaitQuiet(t, dir)
			if code := p.end(syscall.SIGTERM); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			got := readPcapng(t, file)
			for leg, peer := range peers {
				mine := got.interfaces[fmt.Sprintf("%s:%s@netns:%s", legFilters(l)[leg][0], leg, l.App.Netns)]
				path := dir + "/" + leg + ".pcap"
				if code := peer.end(syscall.SIGINT); code != 0 {
					t.Fatalf("tcpdump ends with %d\n%s", code, peer.text())
				}
				// tcpdump leaves neighbours as two CPUs have put them in the ring;
				// the order of icap is checked below.
				if want := readPcap(t, path)[before[leg]:]; len(want) == 0 || !slices.Equal(byContent(mine), byContent(want)) {
					t.Errorf("%s: %d packets, tcpdump has %d, or they differ", leg, len(mine), len(want))
				}
			}
			if !slices.IsSortedFunc(got.times, time.Time.Compare) {
				t.Error("the file is not in time order")
			}
			judge(t, file, got.total)
		})
	}
}

// byContent puts packets into an order that does not depend on time.
func byContent(packets []packet) []packet {
	return slices.SortedFunc(slices.Values(packets), func(a, b packet) int { return cmp.Compare(a.data, b.data) })
}

// askAll makes a request on each of the four ways through the pod.
func askAll(t *testing.T, l *lab.Lab) {
	t.Helper()
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), true, "/secret") },
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), false, "/plain-request") },
		func() (lab.Exchange, error) { return l.OutboundMesh(t.Context(), "/mesh") },
		func() (lab.Exchange, error) { return l.OutboundPassthrough(t.Context(), "/outside") },
	} {
		if x, err := ask(); err != nil || x.Status != 200 {
			t.Fatalf("%s: %d %s %v", x.Case, x.Status, x.Err, err)
		}
	}
}

// awaitQuiet waits until the connections are closed on all legs and tcpdump has
// written it: it drops what it has not read when it is stopped.
func awaitQuiet(t *testing.T, dir string) {
	t.Helper()
	const quiet, patience = 400 * time.Millisecond, 8 * time.Second
	var size int64
	since := time.Now()
	for end := since.Add(patience); time.Now().Before(end) && time.Since(since) < quiet; time.Sleep(20 * time.Millisecond) {
		var now int64
		files, _ := filepath.Glob(dir + "/*.pcap")
		for _, file := range files {
			if st, err := os.Stat(file); err == nil {
				now += st.Size()
			}
		}
		if now != size {
			size, since = now, time.Now()
		}
	}
}

// judge lets the readers of the field read the file.
func judge(t *testing.T, file string, packets int) {
	t.Helper()
	if n := strings.Count(output(t, "tshark", "-r", file), "\n"); n != packets {
		t.Errorf("tshark reads %d of %d packets", n, packets)
	}
	if n := strings.Count(output(t, "tcpdump", "-n", "-t", "-q", "-r", file), "\n"); n < packets {
		t.Errorf("tcpdump reads %d of %d packets", n, packets)
	}
	info := output(t, "capinfos", file)
	for _, want := range []string{fmt.Sprintf("Number of packets:   %d\n", packets), "Strict time order:   True"} {
		if !strings.Contains(info, want) {
			t.Errorf("capinfos does not say %q:\n%s", want, info)
		}
	}
	plain := output(t, "tshark", "-r", file, "-Y", `frame.interface_name contains "inbound-app"`, "-T", "fields", "-e", "http.request.uri")
	for _, want := range []string{"/secret", "/plain-request"} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %s in plaintext on inbound-app:\n%s", want, plain)
		}
	}
	wire := output(t, "tshark", "-r", file, "-Y", `frame.interface_name contains "-wire"`, "-T", "fields", "-e", "http.request.uri")
	if strings.Contains(wire, "/secret") || !strings.Contains(wire, "/plain-request") {
		t.Errorf("on the wire legs, /secret must be encrypted and /plain-request not:\n%s", wire)
	}
}

// TestPodOneLeg writes one leg only, and accounts for the rest.
func TestPodOneLeg(t *testing.T) {
	t.Parallel()
	l := labtest.New(t, lab.Config{})
	for _, leg := range []string{"inbound-wire", "outbound-wire", "inbound-app", "outbound-app"} {
		t.Run(leg, func(t *testing.T) {
			file := temp(t, "leg.pcapng")
			p := start(t, nil, listening, icap(t, "pod", fmt.Sprintf("pid:%d", l.App.ProxyPID), "--leg", leg, "-w", file))
			for range 3 {
				for _, ask := range []func() (lab.Exchange, error){
					func() (lab.Exchange, error) { return l.Inbound(t.Context(), true, "/in") },
					func() (lab.Exchange, error) { return l.OutboundMesh(t.Context(), "/out") },
					func() (lab.Exchange, error) { return l.SelfDirect(t.Context(), "/self") },
				} {
					if x, err := ask(); err != nil || x.Status != 200 {
						t.Fatalf("%s: %d %s %v", x.Case, x.Status, x.Err, err)
					}
				}
			}
			if code := p.end(syscall.SIGINT); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			got := readPcapng(t, file)
			if len(got.interfaces) != 1 || got.total == 0 {
				t.Errorf("interfaces with packets: %d, packets: %d", len(got.interfaces), got.total)
			}
			for name := range got.interfaces {
				if !strings.Contains(name, ":"+leg+"@") {
					t.Errorf("packets on %s", name)
				}
			}
		})
	}
}

// TestPodExpression combines the legs with the user's own filter.
func TestPodExpression(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	file := temp(t, "expr.pcapng")
	p := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "-w", file, fmt.Sprintf("tcp port %d", l.Outside.Port())))
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), true, "/in") },
		func() (lab.Exchange, error) { return l.OutboundPassthrough(t.Context(), "/out") },
	} {
		if x, err := ask(); err != nil || x.Status != 200 {
			t.Fatalf("%s: %d %s %v", x.Case, x.Status, x.Err, err)
		}
	}
	if code := p.end(syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	got := readPcapng(t, file)
	for name, packets := range got.interfaces {
		if !strings.Contains(name, ":outbound-") {
			t.Errorf("%d packets on %s", len(packets), name)
		}
	}
	if got.total == 0 {
		t.Error("no packet")
	}
}
