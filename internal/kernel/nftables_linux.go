package kernel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// addNFTables walks every base chain of nf_tables that may redirect.
//
// The list of tables and chains comes from the nftables package. The rules are
// read here and only their expressions decoded there, because the package
// leaves expressions that it does not know out of a rule, which would make the
// rule seem to match more than it does.
func (f *finding) addNFTables() error {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return absent(err)
	}
	defer conn.CloseLasting()
	q, err := dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return absent(err)
	}
	defer q.close()

	bases, err := baseChains(conn)
	if err != nil {
		return absent(err)
	}
	tables := make(map[nftables.Table]chains)
	for _, b := range bases {
		t := *b.Table
		read, ok := tables[t]
		if !ok {
			if read, err = readTable(conn, q, b.Table); err != nil {
				return fmt.Errorf("table %s: %w", tableName(b.Table), err)
			}
			tables[t] = read
		}
		h := hookPrerouting
		if *b.Hooknum == *nftables.ChainHookOutput {
			h = hookOutput
		}
		if err := f.add("nf_tables "+tableName(b.Table), ipVersion(b.Table), h, read, b.Name); err != nil {
			return fmt.Errorf("table %s: %w", tableName(b.Table), err)
		}
	}
	return nil
}

// absent makes nothing of an error that says that the kernel is built without
// nf_tables: no protocol on the socket, or no such subsystem.
func absent(err error) error {
	if errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// tableName returns a table's name as nft(8) prints it, "ip nat" for example.
func tableName(t *nftables.Table) string {
	family := "inet"
	switch t.Family {
	case nftables.TableFamilyIPv4:
		family = "ip"
	case nftables.TableFamilyIPv6:
		family = "ip6"
	}
	return family + " " + t.Name
}

// ipVersion is that of a table's rules, 0 for both.
func ipVersion(t *nftables.Table) uint8 {
	switch t.Family {
	case nftables.TableFamilyIPv4:
		return 4
	case nftables.TableFamilyIPv6:
		return 6
	}
	return 0
}

// dormant reports whether the rules of a table are not in use
// (NFT_TABLE_F_DORMANT of linux/netfilter/nf_tables.h). The nftables package
// reads the flags in the byte order of the machine, but they are big endian.
func dormant(t *nftables.Table) bool {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], t.Flags)
	return binary.BigEndian.Uint32(b[:])&1 != 0
}

// baseChains returns the base chains where REDIRECT (type nat) or TPROXY (type
// filter) can stand, in the order of their tables and, within a table, in
// that of the hooks. nft(8): "redirect" is "only valid in the prerouting and
// output chains" and "tproxy" in "prerouting".
func baseChains(conn *nftables.Conn) ([]*nftables.Chain, error) {
	tables, err := conn.ListTables()
	if err != nil {
		return nil, err
	}
	type id struct {
		family nftables.TableFamily
		name   string
	}
	rank := make(map[id]int)
	for i, t := range tables {
		if !dormant(t) {
			rank[id{t.Family, t.Name}] = i + 1
		}
	}
	all, err := conn.ListChains()
	if err != nil {
		return nil, err
	}
	of := func(c *nftables.Chain) int { return rank[id{c.Table.Family, c.Table.Name}] }
	bases := slices.DeleteFunc(all, func(c *nftables.Chain) bool {
		if c.Hooknum == nil || of(c) == 0 {
			return true
		}
		switch c.Table.Family {
		case nftables.TableFamilyIPv4, nftables.TableFamilyIPv6, nftables.TableFamilyINet:
		default:
			return true
		}
		switch *c.Hooknum {
		case *nftables.ChainHookPrerouting:
			return c.Type != nftables.ChainTypeNAT && c.Type != nftables.ChainTypeFilter
		case *nftables.ChainHookOutput:
			return c.Type != nftables.ChainTypeNAT
		}
		return true
	})
	slices.SortStableFunc(bases, func(a, b *nftables.Chain) int {
		return cmp.Or(cmp.Compare(of(a), of(b)), cmp.Compare(*a.Hooknum, *b.Hooknum))
	})
	return bases, nil
}

// readTable reads all rules of a table in one dump.
func readTable(conn *nftables.Conn, q *querier, t *nftables.Table) (chains, error) {
	ae := netlink.NewAttributeEncoder()
	ae.String(unix.NFTA_RULE_TABLE, t.Name)
	attrs, err := ae.Encode()
	if err != nil {
		return nil, err
	}
	// struct nfgenmsg: the family, a version, a resource number.
	msgs, err := q.dump(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETRULE,
		append([]byte{byte(t.Family), 0, 0, 0}, attrs...))
	if err != nil {
		return nil, err
	}
	d := ruleDecoder{family: byte(t.Family), set: func(name string) ([]uint16, bool) {
		return readPorts(conn, t, name)
	}}
	read := make(chains)
	for _, m := range msgs {
		chain, r, err := d.message(m.Data)
		if err != nil {
			return nil, err
		}
		read[chain] = append(read[chain], r)
	}
	return read, nil
}

// readPorts returns the elements of a set of ports. It is not ok for a set of
// ranges or of anything but 16-bit numbers.
func readPorts(conn *nftables.Conn, t *nftables.Table, name string) (ports []uint16, ok bool) {
	elements, err := conn.GetSetElements(&nftables.Set{Table: t, Name: name})
	if err != nil || len(elements) == 0 {
		return nil, false
	}
	for _, e := range elements {
		if len(e.Key) != 2 || e.IntervalEnd || e.KeyEnd != nil {
			return nil, false
		}
		ports = append(ports, binary.BigEndian.Uint16(e.Key))
	}
	return ports, true
}
