package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A ruleDecoder turns the rules of one table into what they mean here.
//
// A rule of nf_tables is a program: expressions load parts of the packet into
// registers and compare them, and the last one gives the verdict. Two kinds of
// programs are understood: those of nft(8), and those of iptables-nft, which
// keep extensions of iptables in "match" and "target" expressions.
type ruleDecoder struct {
	family byte // NFPROTO_
	set    func(name string) (ports []uint16, ok bool)
}

// A source is what an expression loaded into a register.
type source int

const (
	sourceUnknown source = iota
	sourceConstant
	sourceProto // l4proto: one byte
	sourcePort  // destination port: two bytes, big endian
	sourceUID   // four bytes in the byte order of the machine
	sourceGID
	sourceInput // index of the input interface
	sourceLink  // name of an interface
	sourceAddr  // an address or the beginning of one
	sourceMark  // four bytes in the byte order of the machine
	sourceFamily
)

// A register holds what the next expression works on.
type register struct {
	source   source
	constant []byte
	mask     []byte // of an address or mark; nil for all bits

	first   bool // the source address, or the input interface
	version uint8
}

// message decodes a NFT_MSG_NEWRULE: struct nfgenmsg and attributes.
func (d *ruleDecoder) message(b []byte) (chain string, r rule, err error) {
	if len(b) < 4 {
		return "", r, fmt.Errorf("rule of %d bytes is too short", len(b))
	}
	ad, err := netlink.NewAttributeDecoder(b[4:])
	if err != nil {
		return "", r, fmt.Errorf("decode rule: %w", err)
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.NFTA_RULE_CHAIN:
			chain = ad.String()
		case unix.NFTA_RULE_EXPRESSIONS:
			ad.Nested(func(list *netlink.AttributeDecoder) error {
				r, err = d.expressions(list)
				return err
			})
		}
	}
	if err := ad.Err(); err != nil {
		return "", r, fmt.Errorf("decode rule of chain %q: %w", chain, err)
	}
	return chain, r, nil
}

func (d *ruleDecoder) expressions(list *netlink.AttributeDecoder) (rule, error) {
	m := machine{d: d, regs: make(map[uint32]register)}
	for list.Next() {
		var name string
		var data []byte
		list.Nested(func(ad *netlink.AttributeDecoder) error {
			for ad.Next() {
				switch ad.Type() {
				case unix.NFTA_EXPR_NAME:
					name = ad.String()
				case unix.NFTA_EXPR_DATA:
					data = ad.Bytes()
				}
			}
			return nil
		})
		m.step(name, data)
	}
	return m.rule, list.Err()
}

// A machine follows the program of a rule.
type machine struct {
	d    *ruleDecoder
	regs map[uint32]register
	rule rule
}

// step follows one expression. What is not understood makes the rule ask for
// something else besides, so it is never taken for more than it is, and
// leaves nothing known in the registers.
func (m *machine) step(name string, data []byte) {
	ok := false
	switch name {
	case "counter", "log":
		ok = true
	case "meta":
		ok = m.meta(data)
	case "payload":
		ok = m.payload(data)
	case "bitwise":
		ok = m.bitwise(data)
	case "immediate":
		ok = m.immediate(data)
	case "cmp":
		ok = m.cmp(data)
	case "lookup":
		ok = m.lookup(data)
	case "match":
		ok = m.match(data)
	case "target":
		ok = m.target(data)
	case "redir":
		ok = m.redir(data)
	case "tproxy":
		ok = m.tproxy(data)
	}
	if !ok {
		m.rule.cond.other = true
		clear(m.regs)
	}
}

func (m *machine) meta(data []byte) bool {
	var e expr.Meta
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil {
		return false
	}
	if e.SourceRegister {
		return true // sets a mark, for example, and asks for nothing
	}
	var r register
	switch e.Key {
	case expr.MetaKeyL4PROTO:
		r.source = sourceProto
	case expr.MetaKeyNFPROTO:
		r.source = sourceFamily
	case expr.MetaKeySKUID:
		r.source = sourceUID
	case expr.MetaKeySKGID:
		r.source = sourceGID
	case expr.MetaKeyIIF:
		r.source = sourceInput
	case expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME:
		r.source, r.first = sourceLink, e.Key == expr.MetaKeyIIFNAME
	case expr.MetaKeyMARK:
		r.source = sourceMark
	}
	m.regs[e.Register] = r
	return true
}

// payload knows these fields: bytes 2 and 3 of the transport header, which are
// the destination port of TCP and of UDP, byte 9 of an IPv4 header, which is
// the protocol, and the addresses.
func (m *machine) payload(data []byte) bool {
	var e expr.Payload
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil || e.OperationType != expr.PayloadLoad {
		return false
	}
	var r register
	switch {
	case e.Base == expr.PayloadBaseTransportHeader && e.Offset == 2 && e.Len == 2:
		r.source = sourcePort
	case e.Base == expr.PayloadBaseNetworkHeader && e.Offset == 9 && e.Len == 1 && m.version() == 4:
		r.source = sourceProto
	case e.Base == expr.PayloadBaseNetworkHeader:
		r = m.address(e.Offset, e.Len)
	}
	m.regs[e.DestRegister] = r
	return true
}

// version is that of the packets that get this far, 0 if it can be either.
func (m *machine) version() uint8 {
	switch m.d.family {
	case unix.NFPROTO_IPV4:
		return 4
	case unix.NFPROTO_IPV6:
		return 6
	}
	return m.rule.cond.version
}

// address is what a register holds that was loaded from an IP header: an
// address or its first bytes.
func (m *machine) address(offset, size uint32) register {
	version, first, length := m.version(), uint32(12), uint32(4)
	switch version {
	case 4:
	case 6:
		first, length = 8, 16
	default:
		return register{}
	}
	if size > length || offset != first && offset != first+length {
		return register{}
	}
	return register{source: sourceAddr, first: offset == first, version: version}
}

// bitwise masks an address or a mark: "reg = (reg & mask) ^ 0".
func (m *machine) bitwise(data []byte) bool {
	var e expr.Bitwise
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil {
		return false
	}
	r := m.regs[e.SourceRegister]
	if r.source != sourceAddr && r.source != sourceMark || len(bytes.Trim(e.Xor, "\x00")) > 0 || e.SourceRegister != e.DestRegister {
		return false
	}
	r.mask = e.Mask
	m.regs[e.DestRegister] = r
	return true
}

// immediate loads a constant or, into register 0, gives the verdict.
func (m *machine) immediate(data []byte) bool {
	var e expr.Immediate
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil {
		return false
	}
	if e.Register != unix.NFT_REG_VERDICT {
		m.regs[e.Register] = register{source: sourceConstant, constant: e.Data}
		return true
	}
	return m.verdict(data)
}

// verdict reads the verdict of an immediate expression. The decoder in expr
// takes the layout of the attributes for granted.
func (m *machine) verdict(data []byte) bool {
	for _, nested := range []uint16{unix.NFTA_IMMEDIATE_DATA, unix.NFTA_DATA_VERDICT} {
		attrs, err := attributes(data)
		if err != nil {
			return false
		}
		data = attrs[nested]
	}
	attrs, err := attributes(data)
	if err != nil || len(attrs[unix.NFTA_VERDICT_CODE]) != 4 {
		return false
	}
	// TPROXY is followed by a verdict of its own, usually accept.
	if m.rule.verdict == verdictTProxy {
		return true
	}
	code := int32(binary.BigEndian.Uint32(attrs[unix.NFTA_VERDICT_CODE]))
	chain := unix.ByteSliceToString(attrs[unix.NFTA_VERDICT_CHAIN])
	switch expr.VerdictKind(code) {
	case expr.VerdictReturn:
		m.rule.verdict = verdictReturn
	case expr.VerdictAccept:
		m.rule.verdict = verdictAccept
	case expr.VerdictDrop:
		m.rule.verdict = verdictDrop
	case expr.VerdictJump:
		m.rule.verdict, m.rule.chain = verdictJump, chain
	case expr.VerdictGoto:
		m.rule.verdict, m.rule.chain = verdictGoto, chain
	}
	return true
}

func (m *machine) cmp(data []byte) bool {
	var e expr.Cmp
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil {
		return false
	}
	c, equal := &m.rule.cond, e.Op == expr.CmpOpEq
	switch s := m.regs[e.Register].source; {
	case s == sourcePort && len(e.Data) == 2:
		port := binary.BigEndian.Uint16(e.Data)
		switch e.Op {
		case expr.CmpOpEq:
			c.ports = append(c.ports, port)
		case expr.CmpOpNeq:
			c.except = append(c.except, port)
		default:
			c.other = true
		}
	case s == sourceProto && len(e.Data) == 1 && equal:
		c.proto = e.Data[0]
	case s == sourceUID && len(e.Data) == 4 && equal:
		c.uids = append(c.uids, binary.NativeEndian.Uint32(e.Data))
	case s == sourceGID && len(e.Data) == 4 && equal:
		c.gids = append(c.gids, binary.NativeEndian.Uint32(e.Data))
	case s == sourceInput:
		c.input = true
	case e.Op != expr.CmpOpEq && e.Op != expr.CmpOpNeq:
		c.other = true
	case s == sourceFamily && len(e.Data) == 1 && equal:
		c.version = versionOf(e.Data[0])
	case s == sourceLink && len(e.Data) > 0:
		c.link(m.regs[e.Register].first, !equal, linkName(e.Data))
	case s == sourceMark && len(e.Data) == 4:
		c.mark(m.regs[e.Register].markOf(e.Data), !equal)
	case s == sourceAddr:
		p, ok := m.regs[e.Register].prefix(e.Data)
		if !ok {
			return false
		}
		c.network(m.regs[e.Register].first, !equal, p)
	default:
		c.other = true
	}
	return true
}

// lookup asks whether a register is in a set: "tcp dport { 53, 15008 }".
func (m *machine) lookup(data []byte) bool {
	var e expr.Lookup
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil || e.IsDestRegSet {
		return false
	}
	if m.regs[e.SourceRegister].source != sourcePort {
		return false
	}
	ports, ok := m.d.set(e.SetName)
	if !ok {
		return false
	}
	if e.Invert {
		m.rule.cond.except = append(m.rule.cond.except, ports...)
	} else {
		m.rule.cond.ports = append(m.rule.cond.ports, ports...)
	}
	return true
}

// redir reads the port from the register that the expression names; nft loads
// it there just before.
func (m *machine) redir(data []byte) bool {
	var e expr.Redir
	if err := expr.Unmarshal(m.d.family, data, &e); err != nil {
		return false
	}
	return m.local(verdictRedirect, e.RegisterProtoMin)
}

func (m *machine) tproxy(data []byte) bool {
	const regPort = 3 // NFTA_TPROXY_REG_PORT
	attrs, err := attributes(data)
	if err != nil || len(attrs[regPort]) != 4 {
		return false
	}
	return m.local(verdictTProxy, binary.BigEndian.Uint32(attrs[regPort]))
}

// local sets a verdict that sends to the port in a register. Without a port
// the destination port is kept, which is no redirection for our purpose.
func (m *machine) local(v verdict, reg uint32) bool {
	port := m.regs[reg].constant
	if len(port) < 2 {
		return false
	}
	m.rule.verdict, m.rule.port = v, binary.BigEndian.Uint16(port)
	return true
}

func (m *machine) match(data []byte) bool {
	name, revision, info, err := extension(data)
	if err != nil {
		return false
	}
	m.rule.cond.addMatch(name, revision, info)
	return true
}

func (m *machine) target(data []byte) bool {
	name, revision, info, err := extension(data)
	if err != nil {
		return false
	}
	m.rule.setTarget(name, revision, m.d.family == unix.NFPROTO_IPV6, info)
	return true
}
