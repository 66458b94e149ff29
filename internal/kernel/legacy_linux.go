package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iptables-legacy has no netlink: a table is one blob of C structs, which
// getsockopt(2) returns. They are in linux/netfilter_ipv4/ip_tables.h and
// linux/netfilter_ipv6/ip6_tables.h.
const (
	soGetInfo    = 64 // IPT_SO_GET_INFO, IP6T_SO_GET_INFO
	soGetEntries = 65 // IPT_SO_GET_ENTRIES, IP6T_SO_GET_ENTRIES

	sizeofInfo  = 84 // struct ipt_getinfo
	offHooks    = 36 // hook_entry[5] in it, 4 bytes each
	offSize     = 80 // size in it: bytes of all entries
	offTable    = 40 // entrytable in struct ipt_get_entries
	sizeofMatch = 32 // struct xt_entry_match and xt_entry_target, without data

	// maxLegacyTable bounds the memory for a table, in bytes. One for 20,000
	// services takes some 60 MB.
	maxLegacyTable = 256 << 20
)

// A legacyFamily says where struct ipt_entry and struct ip6t_entry have the
// fields that are needed, in bytes from the start.
type legacyFamily struct {
	name      string
	version   uint8
	tables    string // the file that lists the tables, in /proc/thread-self/net
	af, level int

	masks  int // two masks of addresses, of the size of an address each
	ifaces int // two masks of interface names, after the two names
	proto  int
	flags  int // then one byte of flags that invert
	offset int // offset of the target, then of the next entry; 16 bits each
	size   int // of an entry without matches

	asks     uint8 // the flag that makes it ask for something else
	gotoFlag uint8
}

func legacyFamilies() []legacyFamily {
	return []legacyFamily{
		{
			name: "ip", version: 4, tables: "ip_tables_names", af: unix.AF_INET, level: unix.SOL_IP,
			masks: 8, ifaces: 48, proto: 80, flags: 82, offset: 88, size: 112, asks: 1, gotoFlag: 2,
		},
		{
			name: "ip6", version: 6, tables: "ip6_tables_names", af: unix.AF_INET6, level: unix.SOL_IPV6,
			masks: 32, ifaces: 96, proto: 128, flags: 131, offset: 140, size: 168, asks: 2, gotoFlag: 4,
		},
	}
}

// addLegacy walks the tables of iptables-legacy. It asks for those only that
// exist: to ask for another one by name makes the kernel create it.
func (f *finding) addLegacy() error {
	for _, fam := range legacyFamilies() {
		names, err := os.ReadFile("/proc/thread-self/net/" + fam.tables)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, table := range strings.Fields(string(names)) {
			if table != "nat" && table != "mangle" {
				continue
			}
			if err := f.addLegacyTable(fam, table); err != nil {
				return fmt.Errorf("table %s %s: %w", fam.name, table, err)
			}
		}
	}
	return nil
}

func (f *finding) addLegacyTable(fam legacyFamily, table string) error {
	info, entries, err := readLegacy(fam, table)
	if err != nil {
		return err
	}
	// Hooks are numbered as in enum nf_inet_hooks.
	for _, at := range []struct {
		number int
		hook   hook
	}{{0, hookPrerouting}, {3, hookOutput}} {
		start := int(binary.NativeEndian.Uint32(info[offHooks+4*at.number:]))
		c, err := fam.decode(entries, start)
		if err != nil {
			return err
		}
		if err := f.add("legacy "+fam.name+" "+table, fam.version, at.hook, c, strconv.Itoa(start)); err != nil {
			return err
		}
	}
	return nil
}

// readLegacy returns a struct ipt_getinfo and the entries of a table. The
// kernel says EAGAIN when the table changed between the two questions.
func readLegacy(fam legacyFamily, table string) (info, entries []byte, err error) {
	fd, err := unix.Socket(fam.af, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	for range dumpTries {
		info = make([]byte, sizeofInfo)
		copy(info, table)
		if err := getsockopt(fd, fam.level, soGetInfo, info); err != nil {
			return nil, nil, err
		}
		size := binary.NativeEndian.Uint32(info[offSize:])
		if size > maxLegacyTable {
			return nil, nil, fmt.Errorf("%d bytes: %w", size, errTooManyRules)
		}
		b := make([]byte, offTable+int(size))
		copy(b, table)
		binary.NativeEndian.PutUint32(b[32:], size)
		err := getsockopt(fd, fam.level, soGetEntries, b)
		if err == nil {
			return info, b[offTable:], nil
		}
		if !errors.Is(err, unix.EAGAIN) {
			return nil, nil, err
		}
	}
	return nil, nil, errInterrupted
}

// getsockopt passes b in and out. x/sys has it for its own types only.
func getsockopt(fd, level, opt int, b []byte) error {
	n := uint32(len(b))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return os.NewSyscallError("getsockopt", errno)
	}
	return nil
}

// decode turns the entries of a table into chains, each named by the offset
// where it begins: that of the hook, and those that are jumped to. Every
// chain goes on to the end of the table; an unconditional verdict, which the
// kernel requires there, ends it.
func (fam legacyFamily) decode(b []byte, hook int) (chains, error) {
	var rules []rule
	index := make(map[string]int)
	for off := 0; off < len(b); {
		rest := b[off:]
		if len(rest) < fam.size {
			return nil, fmt.Errorf("entry at %d is cut short", off)
		}
		target := int(binary.NativeEndian.Uint16(rest[fam.offset:]))
		next := int(binary.NativeEndian.Uint16(rest[fam.offset+2:]))
		if target < fam.size || next < target+sizeofMatch || next > len(rest) {
			return nil, fmt.Errorf("entry at %d has a target at %d and ends at %d", off, target, next)
		}
		index[strconv.Itoa(off)] = len(rules)
		off += next
		rules = append(rules, fam.rule(rest[:next], target, off))
	}
	c := make(chains)
	if i, ok := index[strconv.Itoa(hook)]; ok {
		c[strconv.Itoa(hook)] = rules[i:]
	}
	for _, r := range rules {
		if i, ok := index[r.chain]; ok {
			c[r.chain] = rules[i:]
		}
	}
	return c, nil
}

// rule decodes one entry: the addresses, interfaces and protocol, then the
// matches, then the target. The next entry is at next in the table.
func (fam legacyFamily) rule(b []byte, target, next int) rule {
	const invertedProto = 0x40 // IPT_INV_PROTO, IP6T_INV_PROTO

	var r rule
	r.cond.proto = uint8(binary.NativeEndian.Uint16(b[fam.proto:]))
	r.cond.other = b[fam.flags]&fam.asks != 0 ||
		b[fam.flags+1]&invertedProto != 0
	fam.addresses(&r.cond, b)
	fam.interfaces(&r.cond, b)
	for m := b[fam.size:target]; len(m) >= sizeofMatch; {
		size := int(binary.NativeEndian.Uint16(m))
		if size < sizeofMatch || size > len(m) {
			r.cond.other = true
			break
		}
		r.cond.addMatch(extensionName(m), uint32(m[31]), m[sizeofMatch:size])
		m = m[size:]
	}

	t := b[target:]
	if name := extensionName(t); name != "" {
		r.setTarget(name, uint32(t[31]), fam.af == unix.AF_INET6, t[sizeofMatch:])
		return r
	}
	// A standard target has a number: an offset to jump to, which is that of
	// the next entry for a rule without a target, or -1 less a verdict.
	const drop, accept, xtReturn = -1, -2, -5
	if len(t) < sizeofMatch+4 {
		return r
	}
	switch v := int32(binary.NativeEndian.Uint32(t[sizeofMatch:])); {
	case int(v) == next:
	case v >= 0:
		r.verdict, r.chain = verdictJump, strconv.Itoa(int(v))
		if b[fam.flags]&fam.gotoFlag != 0 {
			r.verdict = verdictGoto
		}
	case v == xtReturn:
		r.verdict = verdictReturn
	case v == accept:
		r.verdict = verdictAccept
	case v == drop:
		r.verdict = verdictDrop
	}
	return r
}

// addresses reads two addresses and the masks behind them.
func (fam legacyFamily) addresses(c *cond, b []byte) {
	const invertedSource, invertedDest = 0x08, 0x10 // IPT_INV_SRCIP, IPT_INV_DSTIP
	size := fam.masks / 2
	for i, inverted := range []uint8{invertedSource, invertedDest} {
		addr, _ := netip.AddrFromSlice(b[i*size : (i+1)*size])
		bits, ok := maskLen(b[fam.masks+i*size : fam.masks+(i+1)*size])
		switch {
		case !ok:
			c.other = true
		case bits > 0:
			c.network(i == 0, b[fam.flags+1]&inverted != 0, netip.PrefixFrom(addr, bits).Masked())
		}
	}
}

// interfaces reads the names of two interfaces and the masks behind them. A
// mask that leaves out the end of the name stands for any further letters.
func (fam legacyFamily) interfaces(c *cond, b []byte) {
	const invertedIn, invertedOut = 0x01, 0x02 // IPT_INV_VIA_IN, IPT_INV_VIA_OUT
	for i, inverted := range []uint8{invertedIn, invertedOut} {
		at := fam.ifaces + (i-2)*unix.IFNAMSIZ
		name := unix.ByteSliceToString(b[at : at+unix.IFNAMSIZ])
		mask := bytes.TrimRight(b[at+2*unix.IFNAMSIZ:at+3*unix.IFNAMSIZ], "\x00")
		if len(mask) == 0 {
			continue
		}
		if len(mask) <= len(name) {
			name = strings.TrimSuffix(name, "+") + "+"
		}
		c.link(i == 0, b[fam.flags+1]&inverted != 0, name)
	}
}

// extensionName reads the name in a struct xt_entry_match or xt_entry_target:
// 29 bytes after the size.
func extensionName(b []byte) string {
	return unix.ByteSliceToString(b[2:31])
}
