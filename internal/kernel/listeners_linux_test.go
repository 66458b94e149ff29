package kernel

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// linkUp brings an interface of the thread's namespace up.
func linkUp(t *testing.T, name string) {
	t.Helper()
	l, err := netlink.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		t.Fatal(err)
	}
}

// listenAs opens sockets of every sort in the thread's namespace for a user,
// and others that are no listeners. It returns what Listeners should say.
func listenAs(t *testing.T, uid int) []Listener {
	t.Helper()
	linkUp(t, "lo")
	if _, err := unix.SetfsuidRetUid(uid); err != nil {
		t.Fatal(err)
	}
	defer unix.SetfsuidRetUid(0)

	var want []Listener
	add := func(c interface{ Close() error }, a net.Addr, proto uint8, addr string, dual bool) {
		t.Cleanup(func() { c.Close() })
		_, port, err := net.SplitHostPort(a.String())
		if err != nil {
			t.Fatal(err)
		}
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Listener{
			Proto: proto, DualStack: dual, UID: uint32(uid),
			Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(p)),
		})
	}
	for _, s := range []struct {
		network, bind, addr string
		dual                bool
	}{
		{"4", "0.0.0.0:0", "0.0.0.0", false},
		{"4", "127.0.0.1:0", "127.0.0.1", false},
		{"6", "[::]:0", "::", false},
		{"6", "[::1]:0", "::1", false},
		{"", "[::]:0", "::", true},
	} {
		l, err := net.Listen("tcp"+s.network, s.bind)
		if err != nil {
			t.Fatal(err)
		}
		add(l, l.Addr(), ProtoTCP, s.addr, s.dual)
		u, err := net.ListenPacket("udp"+s.network, s.bind)
		if err != nil {
			t.Fatal(err)
		}
		add(u, u.LocalAddr(), ProtoUDP, s.addr, s.dual)
	}

	// The net package makes no IPv6 socket for an IPv4-mapped address.
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mapped := os.NewFile(uintptr(fd), "socket")
	if err := unix.Bind(fd, &unix.SockaddrInet6{Port: 4242, Addr: [16]byte{10: 0xff, 0xff, 127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	add(mapped, &net.UDPAddr{Port: 4242}, ProtoUDP, "127.0.0.1", false)

	// Neither a connection nor a connected UDP socket is a listener.
	c, err := net.Dial("tcp", want[2].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	u, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return want
}

func TestListeners(t *testing.T) {
	const uid = 1337
	enterNetns(t)
	if got, err := Listeners(); err != nil || len(got) != 0 {
		t.Fatalf("Listeners of an empty namespace = %v, %v", got, err)
	}
	want := listenAs(t, uid)
	got, err := Listeners()
	if err != nil {
		t.Fatal(err)
	}
	byAddr := cmpopts.SortSlices(func(a, b Listener) bool {
		return a.Proto < b.Proto || a.Proto == b.Proto && a.Addr.Compare(b.Addr) < 0
	})
	opts := cmp.Options{
		byAddr,
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
		cmpopts.IgnoreFields(Listener{}, "Inode"),
	}
	if d := cmp.Diff(want, got, opts); d != "" {
		t.Errorf("Listeners (-want +got):\n%s", d)
	}

	// The other way to read them must agree, but for what it cannot know.
	var fromProc []Listener
	for _, table := range socketTables() {
		l, err := procListeners(table)
		if err != nil {
			t.Fatal(err)
		}
		fromProc = append(fromProc, l...)
	}
	opts = cmp.Options{byAddr, opts[1], cmpopts.IgnoreFields(Listener{}, "DualStack")}
	if d := cmp.Diff(got, fromProc, opts); d != "" {
		t.Errorf("sockets in proc (-sock_diag +proc):\n%s", d)
	}

	inodes := make([]uint64, 0, len(got))
	for _, l := range got {
		inodes = append(inodes, l.Inode)
	}
	owners, err := Owners("", inodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range got {
		if p := owners[l.Inode]; p.PID != os.Getpid() || !strings.HasPrefix(p.Command, "kernel.test") {
			t.Errorf("owner of %v = %+v, want this process", l, p)
		}
	}
}

func TestOwnersFakeProc(t *testing.T) {
	proc := t.TempDir()
	fd := func(pid, fd, target string) {
		dir := filepath.Join(proc, pid, "fd")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, fd)); err != nil {
			t.Fatal(err)
		}
	}
	fd("200", "3", "socket:[11]")
	fd("30", "3", "socket:[11]")
	fd("30", "4", "/dev/null")
	fd("30", "5", "socket:[12")
	fd("200", "4", "socket:[13]")
	fd("self", "4", "socket:[14]")
	if err := os.Mkdir(filepath.Join(proc, "31"), 0o755); err != nil { // is just exiting
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(proc, "30", "comm"), []byte("en\x1b[31mvoy-and-more\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Owners(proc, []uint64{11, 12, 13, 14})
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint64]Process{11: {30, "en?[31mvoy-and-"}, 13: {200, ""}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Owners (-want +got):\n%s", d)
	}
	// Of two owners only the one that was asked for can be found.
	got, err = OwnersAmong(proc, []int{200}, []uint64{11, 12})
	if d := cmp.Diff(map[uint64]Process{11: {200, ""}}, got); d != "" || err != nil {
		t.Errorf("OwnersAmong (-want +got):\n%s%v", d, err)
	}
	if _, err := Owners(filepath.Join(proc, "none"), []uint64{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Owners without a proc: %v", err)
	}
}

// TestOwnersWithoutPrivilege finds what it may and says that it may not all.
func TestOwnersWithoutPrivilege(t *testing.T) {
	enterNetns(t)
	linkUp(t, "lo")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socks, err := Listeners()
	if err != nil || len(socks) != 1 {
		t.Fatalf("Listeners = %v, %v", socks, err)
	}
	// To be another user is what it takes: root may read what root has.
	if _, err := unix.SetfsuidRetUid(54321); err != nil {
		t.Fatal(err)
	}
	drop(t, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE)
	got, err := Owners("", []uint64{socks[0].Inode, 1})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_SYS_PTRACE") {
		t.Errorf("Owners: %v, %v", got, err)
	}
}

func TestParseProcNet(t *testing.T) {
	// Lines as kernel 6.18 prints them on a little-endian machine.
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:3A98 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1337        0 77001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:3A98 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 77002 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77003
   3: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77004
`
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the table is of a little-endian machine")
	}
	got, err := parseProcNet(strings.NewReader(table), ProtoTCP, stateListen)
	if err != nil {
		t.Fatal(err)
	}
	want := []Listener{
		{Proto: 6, Addr: netip.MustParseAddrPort("127.0.0.1:15000"), UID: 1337, Inode: 77001},
		{Proto: 6, Addr: netip.MustParseAddrPort("[::]:8080"), Inode: 77003},
		{Proto: 6, Addr: netip.MustParseAddrPort("127.0.0.1:80"), Inode: 77004},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
