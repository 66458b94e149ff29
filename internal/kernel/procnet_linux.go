package kernel

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// procListeners reads one table from proc. It is /proc/thread-self because
// /proc/net and /proc/self show the namespace of the main thread.
func procListeners(t socketTable) ([]Listener, error) {
	f, err := os.Open("/proc/thread-self/net/" + t.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseProcNet(f, t.proto, t.state)
}

// parseProcNet reads the sockets of one state from a table such as
// /proc/net/tcp, leaving out those without a port.
//
// From proc_pid_net(5): "local_address is the local address and port number
// pair. The rem_address is the remote address and port number pair (if
// connected). St is the internal status of the socket. [...] The uid field
// holds the effective UID of the creator of the socket." The inode comes
// second after it.
func parseProcNet(r io.Reader, proto, state uint8) ([]Listener, error) {
	var all []Listener
	lines := bufio.NewScanner(r)
	lines.Scan() // The first line has the names of the columns.
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 {
			return nil, fmt.Errorf("parse table of sockets: line of %d fields", len(f))
		}
		if st, err := strconv.ParseUint(f[3], 16, 8); err != nil || uint8(st) != state {
			continue
		}
		addr, err := parseHexAddr(f[1])
		if err != nil {
			return nil, fmt.Errorf("parse table of sockets: %w", err)
		}
		uid, err := strconv.ParseUint(f[7], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("parse table of sockets: uid: %w", err)
		}
		inode, err := strconv.ParseUint(f[9], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parse table of sockets: inode: %w", err)
		}
		if addr.Port() != 0 {
			all = append(all, Listener{Proto: proto, Addr: addr, UID: uint32(uid), Inode: inode})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read table of sockets: %w", err)
	}
	return all, nil
}

// parseHexAddr reads "0100007F:1F90". The kernel prints an address as 32-bit
// words in the byte order of the machine, and the port as a number.
func parseHexAddr(s string) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(s, ":")
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("address %q has no port", s)
	}
	b, err := hex.DecodeString(host)
	if err != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, fmt.Errorf("address %q is not 4 or 16 bytes in hexadecimal", s)
	}
	for word := b; len(word) > 0; word = word[4:] {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	addr, _ := netip.AddrFromSlice(b)
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(p)), nil
}
