package kernel

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPoll sees connections that were made while nobody waits, and while
// somebody does.
func TestPoll(t *testing.T) {
	enterNetns(t)
	linkUp(t, "lo")
	run(t, "*nat\n-A OUTPUT -p tcp --dport 4000 -j REDIRECT --to-ports 4001\nCOMMIT\n", "iptables-nft-restore")
	w, err := WatchConnections()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:4001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connect := func() netip.AddrPort {
		c, err := net.Dial("tcp", "127.0.0.1:4000")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().(*net.TCPAddr).AddrPort()
	}
	if seen, err := w.Poll(); len(seen) != 0 || err != nil {
		t.Errorf("%+v, %v", seen, err)
	}
	want := []netip.AddrPort{connect(), connect()}
	seen, err := w.Poll()
	if err != nil || len(seen) != 2 || seen[0].Src != want[0] || seen[1].Src != want[1] ||
		seen[0].Dst.Port() != 4000 || seen[0].ReplySrc.Port() != 4001 {
		t.Errorf("%+v, %v, want %v", seen, err, want)
	}
	waited := make(chan int)
	go func() {
		n := 0
		for {
			seen, err := w.Next()
			if err != nil {
				waited <- n
				return
			}
			n += len(seen)
		}
	}()
	const many = 200
	polled := 0
	for range many {
		connect()
		seen, err := w.Poll()
		if err != nil {
			t.Fatal(err)
		}
		polled += len(seen)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := <-waited + polled; n != many {
		t.Errorf("%d of %d connections were told, %d of them by Poll", n, many, polled)
	}
}

// TestWatch sees connections being made, and asks who made them.
func TestWatch(t *testing.T) {
	enterNetns(t)
	linkUp(t, "lo")
	run(t, "*nat\n-A OUTPUT -p tcp --dport 4000 -j REDIRECT --to-ports 4001\nCOMMIT\n", "iptables-nft-restore")
	run(t, "*nat\n-A OUTPUT -p tcp --dport 4000 -j REDIRECT --to-ports 4001\nCOMMIT\n", "ip6tables-nft-restore")
	w, err := WatchConnections()
	if err != nil {
		t.Fatal(err)
	}
	for i, to := range []string{"127.0.0.1:4001", "[::1]:4001", "127.0.0.1:4001"} {
		l, err := net.Listen("tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		uid := 40000 + i
		if _, err := unix.SetfsuidRetUid(uid); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", to)
		if _, serr := unix.SetfsuidRetUid(0); err != nil || serr != nil {
			t.Fatal(err, serr)
		}
		local, remote := c.LocalAddr().(*net.TCPAddr).AddrPort(), netip.MustParseAddrPort(to)
		seen, err := w.Next()
		if err != nil || len(seen) != 1 || seen[0].Src != local || seen[0].Dst != remote {
			t.Errorf("connection from %v to %v is seen as %+v, %v", local, remote, seen, err)
		}
		got, inode, ok := w.Owner(local, remote)
		if got != uint32(uid) || inode == 0 || !ok {
			t.Errorf("the owner is %d, inode %d, %v; want %d", got, inode, ok, uid)
		}
		if _, _, ok := w.Owner(local, netip.AddrPortFrom(remote.Addr(), 5)); ok {
			t.Error("a connection that is not there has an owner")
		}
		c.Close()
		l.Close()
	}
	done := make(chan error)
	go func() {
		_, err := w.Next()
		done <- err
	}()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWatchWithoutPrivilege(t *testing.T) {
	enterNetns(t)
	drop(t, unix.CAP_NET_ADMIN)
	if w, err := WatchConnections(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("WatchConnections without CAP_NET_ADMIN: %v, %v", w, err)
	}
}
