package main

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// captureBoth captures both pods of a lab that are in the mesh into one file,
// whose name the end returns.
func captureBoth(t *testing.T, l *lab.Lab) (end func() string) {
	t.Helper()
	file := temp(t, "both.pcapng")
	p := start(t, nil, listening, icap(t, "pod", "-w", file, "netns:"+l.App.Netns, "netns:"+l.Server.Netns, "--"))
	return func() string {
		if code := p.end(syscall.SIGTERM); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		return file
	}
}

func TestAcrossTry(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today, Patience: lostPatience})
	end := captureBoth(t, l)
	x, err := l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: "/hello"})
	fmt.Println("mesh", x, err)
	x, err = l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: "/reset"})
	fmt.Println("reset", x, err)
	fmt.Println("forge", l.ForgeBetween(t.Context()))
	vip := netip.MustParseAddrPort("10.96.7.7:80")
	fmt.Println(l.Balance(vip, netip.AddrPortFrom(l.Server.Addr, uint16(l.AppPort))))
	x, err = l.Do(t.Context(), l.App, lab.Request{To: vip, Path: "/vip"})
	fmt.Println("vip", x, err)
	x, err = l.Do(t.Context(), l.App, lab.Request{To: vip, Path: "/reset"})
	fmt.Println("vip", x, err)
	s, err := l.Open(t.Context(), l.App, lab.Request{To: l.Service, Path: "/open"})
	fmt.Println(err)
	fmt.Println(l.Part(true))
	go func() { time.Sleep(2500 * time.Millisecond); fmt.Println(l.Part(false)) }()
	x, err = s.Close(t.Context(), "/bytes?n=3000")
	fmt.Println("parted", x.Status, err)
	fmt.Println(l.Part(true))
	x, err = l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: "/hello"})
	fmt.Println("lost", x, err)
	fmt.Println(l.Part(false))
	x, err = l.Do(t.Context(), l.App, lab.Request{To: l.Service, Path: "/hello"})
	file := end()
	fmt.Println(output(t, "icap", "events", "-r", file))
	b, _ := os.ReadFile(file)
	os.WriteFile("/tmp/wt-across/both.pcapng", b, 0o644)
}
