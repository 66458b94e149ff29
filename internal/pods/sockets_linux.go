package pods

import (
	"bufio"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tcpListen is the state of a listening socket in /proc/PID/net/tcp, from the
// kernel's net/tcp_states.h.
const tcpListen = "0A"

// open opens a file of the process for reading.
func (d procDir) open(name string) (*os.File, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// listening returns the TCP ports that are listened on in the namespace of the
// process. Everybody may read them; it takes some milliseconds, because the
// kernel walks over the connections of all namespaces.
func (d procDir) listening() (ports []uint16) {
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		f, err := d.open(name)
		if err != nil {
			continue // no IPv6, or the process has ended
		}
		ports = append(ports, parseListening(f)...)
		f.Close()
	}
	return ports
}

// parseListening reads proc_pid_net(5). The kernel lists the listening sockets
// first, so the connections, of which there can be very many, are not read.
func parseListening(r io.Reader) (ports []uint16) {
	lines := bufio.NewScanner(r)
	for first := true; lines.Scan(); first = false {
		if first {
			continue // the heading
		}
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[3] != tcpListen {
			break
		}
		_, port, _ := strings.Cut(f[1], ":")
		if n, err := strconv.ParseUint(port, 16, 16); err == nil {
			ports = append(ports, uint16(n))
		}
	}
	return ports
}

func (s Scanner) addrs(p *Pod) []netip.Addr {
	if p.Host || len(p.Processes) == 0 {
		return nil
	}
	d, err := openProc(s.proc(), p.Home().PID)
	if err != nil {
		return nil
	}
	defer d.close()
	var all []netip.Addr
	if f, err := d.open("net/fib_trie"); err == nil {
		all = append(all, parseTrie(f)...)
		f.Close()
	}
	if f, err := d.open("net/if_inet6"); err == nil {
		all = append(all, parseInet6(f)...)
		f.Close()
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool {
		return a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified()
	})
}

// parseTrie reads the routes of /proc/PID/net/fib_trie. A leaf, which is an
// address behind "|--", is the pod's own if "host LOCAL" is among the lines
// below it.
func parseTrie(r io.Reader) []netip.Addr {
	var all []netip.Addr
	var leaf netip.Addr
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if s, ok := strings.CutPrefix(line, "|-- "); ok {
			leaf, _ = netip.ParseAddr(s)
			continue
		}
		if leaf.IsValid() && strings.HasPrefix(line, "/32 host LOCAL") && !slices.Contains(all, leaf) {
			all = append(all, leaf)
		}
	}
	return all
}

// parseInet6 reads /proc/PID/net/if_inet6: the address in hexadecimal digits,
// the numbers of the interface, of the prefix, the scope and the flags, and
// the name.
func parseInet6(r io.Reader) []netip.Addr {
	var all []netip.Addr
	for lines := bufio.NewScanner(r); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[5] == "lo" {
			continue
		}
		b, err := hex.DecodeString(f[0])
		if a, ok := netip.AddrFromSlice(b); err == nil && ok {
			all = append(all, a)
		}
	}
	return all
}
