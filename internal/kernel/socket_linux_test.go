package kernel

import (
	"net"
	"net/netip"
	"os"
	"testing"
)

// TestFindSocket finds both ends of a connection, and the listener when the
// connection is gone.
func TestFindSocket(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		s, err := OpenSockets()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a, b := addrPortOf(client.LocalAddr()), addrPortOf(client.RemoteAddr())
		var inodes []uint64
		for _, ends := range [][2]netip.AddrPort{{a, b}, {b, a}, {b, netip.AddrPortFrom(a.Addr(), 1)}} {
			found, ok := s.Find(ends[0], ends[1])
			if listening := ends[1].Port() == 1; !ok || found.Listening != listening || found.UID != uint32(os.Getuid()) {
				t.Errorf("%v: %+v, %v", ends, found, ok)
			}
			inodes = append(inodes, found.Inode)
		}
		held, err := OwnersAmong("", []int{os.Getpid()}, inodes)
		if err != nil || len(held) != 3 || held[inodes[0]].PID != os.Getpid() {
			t.Errorf("%v of %v, %v", held, inodes, err)
		}
		if _, ok := s.Find(netip.AddrPortFrom(a.Addr(), 1), b); ok {
			t.Error("a socket that is not there was found")
		}
	}
}

func addrPortOf(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }
