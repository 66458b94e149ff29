package lab

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"icap/nsswitch"
)

// applyNFT writes a table of rules by nftables alone: one transaction, in the
// ip or ip6 family.
//
// One thing differs from xt_owner, and in Istio's native rules likewise: a
// packet without a socket matches "! --uid-owner" there and no owner here.
// Such packets open no connection, so the nat table never sees them.
func applyNFT(ns *nsswitch.NS, family nftables.TableFamily, t table) error {
	return ns.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return fmt.Errorf("open nftables in %s: %w", ns, err)
		}
		if err := translate(c, family, t); err != nil {
			return fmt.Errorf("translate rules to nftables: %w", err)
		}
		if err := c.Flush(); err != nil {
			return fmt.Errorf("write nftables rules in %s: %w", ns, err)
		}
		return nil
	})
}

// translate queues a table, its chains and its rules.
func translate(c *nftables.Conn, family nftables.TableFamily, t table) error {
	if t.name != "nat" {
		return fmt.Errorf("table %s: only nat is known", t.name)
	}
	to := c.AddTable(&nftables.Table{Family: family, Name: nftTable})
	chains := map[string]*nftables.Chain{}
	for _, ch := range t.chains {
		n := &nftables.Chain{Table: to, Name: ch.name}
		if ch.policy != "" {
			if err := hook(n, ch); err != nil {
				return err
			}
		}
		chains[ch.name] = c.AddChain(n)
	}
	for _, r := range t.rules {
		in, ok := chains[r.chain]
		if !ok {
			return fmt.Errorf("rule in unknown chain %s", r.chain)
		}
		exprs, err := r.exprs(chains)
		if err != nil {
			return fmt.Errorf("rule of chain %s: %w", r.chain, err)
		}
		c.AddRule(&nftables.Rule{Table: to, Chain: in, Exprs: exprs})
	}
	return nil
}

// hook makes a base chain of one that iptables has built in, with the
// priority of iptables' nat table.
func hook(n *nftables.Chain, c chain) error {
	if c.policy != "ACCEPT" {
		return fmt.Errorf("chain %s: policy %s", c.name, c.policy)
	}
	accept := nftables.ChainPolicyAccept
	n.Type, n.Policy = nftables.ChainTypeNAT, &accept
	switch c.name {
	case "PREROUTING":
		n.Hooknum, n.Priority = nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest
	case "OUTPUT":
		n.Hooknum, n.Priority = nftables.ChainHookOutput, nftables.ChainPriorityNATDest
	case "INPUT":
		n.Hooknum, n.Priority = nftables.ChainHookInput, nftables.ChainPriorityNATSource
	case "POSTROUTING":
		n.Hooknum, n.Priority = nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource
	default:
		return fmt.Errorf("chain %s: not a hook of table nat", c.name)
	}
	return nil
}

// exprs is a rule: its matches, a counter, its verdict.
func (r rule) exprs(chains map[string]*nftables.Chain) ([]expr.Any, error) {
	var e []expr.Any
	for _, m := range r.matches {
		part, err := m.exprs()
		if err != nil {
			return nil, err
		}
		e = append(e, part...)
	}
	e = append(e, &expr.Counter{})
	switch r.target {
	case "RETURN":
		return append(e, &expr.Verdict{Kind: expr.VerdictReturn}), nil
	case "ACCEPT":
		return append(e, &expr.Verdict{Kind: expr.VerdictAccept}), nil
	case "DROP":
		return append(e, &expr.Verdict{Kind: expr.VerdictDrop}), nil
	case "REDIRECT":
		return append(e,
			&expr.Immediate{Register: 1, Data: binary.BigEndian.AppendUint16(nil, r.toPort)},
			&expr.Redir{RegisterProtoMin: 1}), nil
	}
	if _, ok := chains[r.target]; !ok {
		return nil, fmt.Errorf("unknown target %s", r.target)
	}
	return append(e, &expr.Verdict{Kind: expr.VerdictJump, Chain: r.target}), nil
}

// exprs loads what a match looks at into register 1 and compares it.
func (m match) exprs() ([]expr.Any, error) {
	op := expr.CmpOpEq
	if m.not {
		op = expr.CmpOpNeq
	}
	cmp := func(data []byte) expr.Any {
		return &expr.Cmp{Op: op, Register: 1, Data: data}
	}
	switch m.option {
	case "-s":
		return m.address(12, 8, cmp), nil
	case "-d":
		return m.address(16, 24, cmp), nil
	case "-i":
		return []expr.Any{meta(expr.MetaKeyIIFNAME), cmp(ifname(m.name))}, nil
	case "-o":
		return []expr.Any{meta(expr.MetaKeyOIFNAME), cmp(ifname(m.name))}, nil
	case "-p":
		return []expr.Any{meta(expr.MetaKeyL4PROTO), cmp([]byte{byte(m.number)})}, nil
	case "--sport":
		return []expr.Any{port(0), cmp(binary.BigEndian.AppendUint16(nil, uint16(m.number)))}, nil
	case "--dport":
		return []expr.Any{port(2), cmp(binary.BigEndian.AppendUint16(nil, uint16(m.number)))}, nil
	case "--uid-owner":
		return []expr.Any{meta(expr.MetaKeySKUID), cmp(binary.NativeEndian.AppendUint32(nil, m.number))}, nil
	case "--gid-owner":
		return []expr.Any{meta(expr.MetaKeySKGID), cmp(binary.NativeEndian.AppendUint32(nil, m.number))}, nil
	}
	return nil, fmt.Errorf("unknown option %s", m.option)
}

// address compares an address of the network header with the match's prefix;
// the two offsets are those of IPv4 and IPv6.
func (m match) address(offset4, offset6 uint32, cmp func([]byte) expr.Any) []expr.Any {
	addr, length := m.prefix.Addr(), uint32(4)
	offset := offset4
	if addr.Is6() {
		offset, length = offset6, 16
	}
	e := []expr.Any{&expr.Payload{
		DestRegister: 1,
		Base:         expr.PayloadBaseNetworkHeader,
		Offset:       offset,
		Len:          length,
	}}
	if m.prefix.Bits() < addr.BitLen() {
		e = append(e, &expr.Bitwise{
			SourceRegister: 1,
			DestRegister:   1,
			Len:            length,
			Mask:           ipNet(m.prefix).Mask,
			Xor:            make([]byte, length),
		})
	}
	return append(e, cmp(addr.AsSlice()))
}

func meta(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: 1} }

func port(offset uint32) expr.Any {
	return &expr.Payload{
		DestRegister: 1,
		Base:         expr.PayloadBaseTransportHeader,
		Offset:       offset,
		Len:          2,
	}
}

// ifname is an interface's name as the kernel compares it: with its zeros.
func ifname(s string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, s)
	return b
}
