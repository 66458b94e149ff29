package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// FuzzLegacyTable: whatever the bytes of a table are, decoding and walking it
// ends, and a jump leads to the beginning of an entry or nowhere.
func FuzzLegacyTable(f *testing.F) {
	for i, fam := range legacyFamilies() {
		entry := make([]byte, fam.size+40)
		binary.NativeEndian.PutUint16(entry[fam.offset:], uint16(fam.size))
		binary.NativeEndian.PutUint16(entry[fam.offset+2:], uint16(len(entry)))
		f.Add(i, 0, entry)
		f.Add(i, len(entry), bytes.Repeat(entry, 3))
	}
	f.Fuzz(func(t *testing.T, family, hook int, table []byte) {
		fam := legacyFamilies()[family&1]
		c, err := fam.decode(table, hook)
		if err != nil {
			return
		}
		for name, rules := range c {
			off, err := strconv.Atoi(name)
			if err != nil || off < 0 || off >= len(table) || len(rules) == 0 {
				t.Errorf("chain %q has %d rules in a table of %d bytes", name, len(rules), len(table))
			}
		}
		var found finding
		if err := found.add("fuzz", 0, hookPrerouting, c, strconv.Itoa(hook)); err == nil {
			found.redirects()
		}
	})
}

// FuzzRule: whatever a rule of nf_tables looks like, decoding it returns, and a
// rule that redirects names a port that the message contains.
func FuzzRule(f *testing.F) {
	for _, program := range [][]expr.Any{
		{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{ProtoTCP}},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0x3a, 0xa0}},
			&expr.Verdict{Kind: expr.VerdictJump, Chain: "istio-inbound"},
		},
		{
			&expr.Match{Name: "owner", Rev: 1, Info: new(xt.Unknown)},
			&expr.Immediate{Register: 1, Data: []byte{0x3a, 0x9e}},
			&expr.Redir{RegisterProtoMin: 1},
		},
	} {
		f.Add(byte(unix.NFPROTO_INET), ruleMessage(f, program))
	}
	f.Fuzz(func(t *testing.T, family byte, message []byte) {
		d := ruleDecoder{family: family, set: func(string) ([]uint16, bool) { return nil, false }}
		_, r, err := d.message(message)
		if err != nil || r.verdict != verdictRedirect && r.verdict != verdictTProxy {
			return
		}
		if !bytes.Contains(message, binary.BigEndian.AppendUint16(nil, r.port)) {
			t.Errorf("port %d is made up", r.port)
		}
	})
}

// ruleMessage encodes a rule as the kernel does.
func ruleMessage(tb testing.TB, program []expr.Any) []byte {
	ae := netlink.NewAttributeEncoder()
	ae.String(unix.NFTA_RULE_CHAIN, "prerouting")
	ae.Nested(unix.NFTA_RULE_EXPRESSIONS, func(list *netlink.AttributeEncoder) error {
		for _, e := range program {
			b, err := expr.Marshal(unix.NFPROTO_INET, e)
			if err != nil {
				return err
			}
			list.Bytes(unix.NLA_F_NESTED|unix.NFTA_LIST_ELEM, b)
		}
		return nil
	})
	b, err := ae.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return append([]byte{unix.NFPROTO_INET, 0, 0, 0}, b...)
}

// FuzzHexAddr: an address that is read prints as what was read.
func FuzzHexAddr(f *testing.F) {
	f.Add("0100007F:3A98")
	f.Add("00000000000000000000000001000000:0050")
	f.Add("0000000000000000FFFF00000100007F:0050")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseHexAddr(s)
		if err != nil {
			return
		}
		b := a.Addr().AsSlice()
		if len(s) > len("00000000:0000") && a.Addr().Is4() {
			mapped := netip.AddrFrom16(a.Addr().As16()).AsSlice()
			b = mapped
		}
		for word := b; len(word) > 0; word = word[4:] {
			binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
		}
		again, err := parseHexAddr(fmt.Sprintf("%X:%04X", b, a.Port()))
		if err != nil || again != a {
			t.Errorf("%q is read as %v, and that as %v, %v", s, a, again, err)
		}
	})
}

// FuzzLink: whatever rtnetlink answers, decoding it returns, and takes nothing
// from outside of the message.
func FuzzLink(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 0, 'e', 't', 'h', '0', 0, 0, 0, 0, 8, 0, 4, 0, 220, 5, 0, 0})
	f.Add([]byte{2, 24, 0, 0, 2, 0, 0, 0, 8, 0, 2, 0, 10, 0, 0, 1, 8, 0, 1, 0, 10, 0, 0, 2})
	f.Add([]byte{10, 200, 0, 0, 2, 0, 0, 0, 7, 0, 2, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := decodeLink(b); err == nil && len(l.Name)+len(l.HardwareAddr) > len(b) {
			t.Errorf("%x has a name of %d bytes", b, len(l.Name))
		}
		if _, p, err := decodeAddr(b); err == nil && p.IsValid() && !bytes.Contains(b, p.Addr().AsSlice()) {
			t.Errorf("%v is not in %x", p, b)
		}
	})
}

// FuzzDiag: whatever sock_diag answers, decoding it returns, and the address is
// one of the message.
func FuzzDiag(f *testing.F) {
	socket := make([]byte, sizeofDiagMsg)
	socket[0], socket[4], socket[8] = unix.AF_INET, 0x1f, 127
	f.Add(socket, true)
	f.Add(append(bytes.Clone(socket), 5, 0, 11, 0, 1, 0, 0, 0), false)
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		if v6 && len(b) > 0 {
			b[0] = unix.AF_INET6
		}
		l, err := decodeDiag(b, ProtoTCP)
		if err == nil && (len(b) < sizeofDiagMsg || !bytes.Contains(b, l.Addr.Addr().AsSlice())) {
			t.Errorf("%x is %+v", b, l)
		}
	})
}

// FuzzProcNet: of a table of /proc/PID/net come no more sockets than it has
// lines, all in the wanted state and with ports.
func FuzzProcNet(f *testing.F) {
	const line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n"
	f.Add("head\n"+line+line, uint8(10))
	f.Add("head\n"+line[:60], uint8(10))
	f.Fuzz(func(t *testing.T, table string, state uint8) {
		all, err := parseProcNet(bytes.NewReader([]byte(table)), ProtoTCP, state)
		if err != nil {
			return
		}
		if n := bytes.Count([]byte(table), []byte("\n")); len(all) > n {
			t.Errorf("%d sockets in %d lines", len(all), n)
		}
		for _, l := range all {
			if !l.Addr.IsValid() || l.Addr.Port() == 0 {
				t.Errorf("%+v", l)
			}
		}
	})
}
