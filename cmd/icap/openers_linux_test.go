package main

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
)

// TestOpenersOfControl has the user of the proxy call a port that is one of the
// control plane's, as a process that is the agent and as one that is not.
func TestOpenersOfControl(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	p, err := new(captureFlags).find("netns:" + l.App.Netns)
	if err != nil {
		t.Fatal(err)
	}
	defer p.ns.Close()
	for name, tt := range map[string]struct {
		control []uint16
		agents  []int
		want    istiofilter.Opener
	}{
		"the agent":            {[]uint16{15012, lab.OutsidePort}, []int{os.Getpid()}, istiofilter.OpenerAgent},
		"the proxy":            {[]uint16{15012, lab.OutsidePort}, []int{l.App.AppPID}, istiofilter.OpenerProxy},
		"no agent is known":    {[]uint16{15012, lab.OutsidePort}, nil, istiofilter.OpenerUnknown},
		"only the usual ports": {[]uint16{15012}, []int{os.Getpid()}, istiofilter.OpenerUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := readFacts(p)
			if err != nil {
				t.Fatal(err)
			}
			f.pod.Control, f.proxy.agents = tt.control, tt.agents
			o := newOpeners(p, f)
			watch := newTracking(p, o, nil)
			if err := watch.start(); err != nil {
				t.Fatal(err)
			}
			defer watch.stop()
			c := dialAs(t, l, l.App.ProxyUID, l.Outside)
			defer c.Close()
			local := c.LocalAddr().(*net.TCPAddr).AddrPort()
			got := o.of(local, l.Outside)
			for end := time.Now().Add(5 * time.Second); got != tt.want && time.Now().Before(end); got = o.of(local, l.Outside) {
				time.Sleep(time.Millisecond)
			}
			if got != tt.want {
				t.Errorf("opened by %d, want %d", got, tt.want)
			}
		})
	}
}

// dialAs connects from the pod of the app, with a socket of a user's.
func dialAs(t *testing.T, l *lab.Lab, uid int, to netip.AddrPort) (c net.Conn) {
	t.Helper()
	err := l.App.NS.Do(func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if _, err := unix.SetfsuidRetUid(uid); err != nil {
			return err
		}
		defer unix.SetfsuidRetUid(0)
		var err error
		c, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
