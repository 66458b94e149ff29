package kernel

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestConnections reads the entry of a connection that is redirected, by
// either IP version, with a mark.
func TestConnections(t *testing.T) {
	for _, version := range []struct{ restore, loopback, network string }{
		{"iptables-nft-restore", "127.0.0.1", "tcp4"},
		{"ip6tables-nft-restore", "::1", "tcp6"},
	} {
		t.Run(version.network, func(t *testing.T) {
			enterNetns(t)
			linkUp(t, "lo")
			run(t, `*mangle
-A OUTPUT -p tcp --dport 4000 -j CONNMARK --set-mark 0x111
COMMIT
*nat
-A OUTPUT -p tcp --dport 4000 -j REDIRECT --to-ports 4001
COMMIT
`, version.restore)
			l, err := net.Listen(version.network, net.JoinHostPort(version.loopback, "4001"))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			c, err := net.Dial(version.network, net.JoinHostPort(version.loopback, "4000"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			all, err := Connections()
			if err != nil {
				t.Fatal(err)
			}
			lo := netip.MustParseAddr(version.loopback)
			local := c.LocalAddr().(*net.TCPAddr).AddrPort()
			want := Connection{
				Proto: ProtoTCP, Src: local, Dst: netip.AddrPortFrom(lo, 4000),
				ReplySrc: netip.AddrPortFrom(lo, 4001), ReplyDst: local, Mark: 0x111,
			}
			if !slices.Contains(all, want) {
				t.Errorf("%+v is not among %+v", want, all)
			}
		})
	}
}

func TestConnectionsWithoutPrivilege(t *testing.T) {
	enterNetns(t)
	drop(t, unix.CAP_NET_ADMIN)
	_, err := Connections()
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("Connections without CAP_NET_ADMIN: %v", err)
	}
}

// FuzzConnection: whatever an entry looks like, decoding it returns.
func FuzzConnection(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 20, 0, 1, 128, 16, 0, 1, 128, 8, 0, 1, 0, 10, 0, 0, 1, 8, 0, 8, 0, 0, 0, 1, 0x11})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeConnection(b)
		if err == nil && len(b) < 4 {
			t.Errorf("%x is %+v", b, c)
		}
	})
}
