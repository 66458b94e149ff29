package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// fromRoutes takes the routes to interfaces that CNI plugins make, from
// proc_pid_net(5) of the first process.
func (n node) fromRoutes() (found networks) {
	found.source = "routes to the interfaces of CNI plugins"
	for _, table := range []struct {
		file  string
		parse func(fields []string) (netip.Prefix, string, bool)
	}{{"route", route4}, {"ipv6_route", route6}} {
		f, err := os.Open(filepath.Join(n.proc, "1", "net", table.file))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			net, dev, ok := table.parse(strings.Fields(lines.Text()))
			if ok && isCNI(dev) && net.Bits() > 0 && !net.IsSingleIP() && !net.Addr().IsLinkLocalUnicast() && !net.Addr().IsMulticast() {
				found.add(net.String())
			}
		}
		_ = f.Close() // it was read
	}
	return found
}

// isCNI reports whether an interface is one that leads to pods.
func isCNI(dev string) bool {
	for _, prefix := range []string{
		"cni", "flannel", "cilium", "cali", "vxlan.calico", "tunl", "weave", "kube-bridge", "antrea", "ovn", "genev_sys", "vxlan_sys",
	} {
		if strings.HasPrefix(dev, prefix) {
			return true
		}
	}
	return false
}

// route4 reads a line of /proc/net/route: interface, destination, gateway,
// flags, ..., mask as the eighth field. Addresses are printed as if they were
// numbers in the byte order of the machine.
func route4(f []string) (p netip.Prefix, dev string, ok bool) {
	if len(f) < 8 {
		return p, "", false
	}
	addr, err := strconv.ParseUint(f[1], 16, 32)
	mask, merr := strconv.ParseUint(f[7], 16, 32)
	if err != nil || merr != nil {
		return p, "", false
	}
	var a [4]byte
	binary.NativeEndian.PutUint32(a[:], uint32(addr))
	p, err = netip.AddrFrom4(a).Prefix(bits.OnesCount32(uint32(mask)))
	return p, f[0], err == nil
}

// route6 reads a line of /proc/net/ipv6_route: destination, length of the
// prefix, ..., interface as the last field.
func route6(f []string) (p netip.Prefix, dev string, ok bool) {
	if len(f) < 10 {
		return p, "", false
	}
	raw, err := hex.DecodeString(f[0])
	size, serr := strconv.ParseUint(f[1], 16, 8)
	addr, ok := netip.AddrFromSlice(raw)
	if err != nil || serr != nil || !ok || !addr.Is6() {
		return p, "", false
	}
	p, err = addr.Prefix(int(size))
	return p, f[len(f)-1], err == nil
}
