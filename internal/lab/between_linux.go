package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func (l *Lab) forgeBetween(ctx context.Context) error {
	const usualTTL = 64
	return l.forgeTo(ctx, l.Service, netip.AddrPortFrom(l.Server.Addr, uint16(l.AppPort)), usualTTL)
}

// part isolates the ports of the two pods: a bridge forwards nothing between
// ports that are isolated.
func (l *Lab) part(apart bool) error {
	return within(l.node, func(h *netlink.Handle) error {
		var errs []error
		for _, p := range []*Pod{l.App, l.Server} {
			name := portOf(p.Addr.As4()[3])
			port, err := h.LinkByName(name)
			if err == nil {
				err = h.LinkSetIsolated(port, apart)
			}
			errs = append(errs, linkError("isolate", l.node, name, err))
		}
		return errors.Join(errs...)
	})
}

func (l *Lab) balance(service, to netip.AddrPort) error {
	tcp, err := match{option: "-p", number: protoTCP}.exprs()
	if err != nil {
		return err
	}
	addr, err := match{option: "-d", prefix: netip.PrefixFrom(service.Addr(), 32)}.exprs()
	if err != nil {
		return err
	}
	dport, err := match{option: "--dport", number: uint32(service.Port())}.exprs()
	if err != nil {
		return err
	}
	return l.node.Do(func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
			return err
		}
		c, err := nftables.New()
		if err != nil {
			return fmt.Errorf("open nftables in %s: %w", l.node, err)
		}
		t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "services"})
		in := c.AddChain(&nftables.Chain{Table: t, Name: "in", Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest})
		out := c.AddChain(&nftables.Chain{Table: t, Name: "out", Type: nftables.ChainTypeNAT,
			Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource})
		c.AddRule(&nftables.Rule{Table: t, Chain: in, Exprs: append(slices.Concat(addr, tcp, dport),
			&expr.Immediate{Register: 1, Data: to.Addr().AsSlice()},
			&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, to.Port())},
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2})})
		c.AddRule(&nftables.Rule{Table: t, Chain: out, Exprs: append(translated(), &expr.Masq{})})
		if err := c.Flush(); err != nil {
			return fmt.Errorf("write nftables rules in %s: %w", l.node, err)
		}
		return nil
	})
}

// translated matches packets of connections whose destination was changed.
func translated() []expr.Any {
	const statusDstNAT = 1 << 5 // IPS_DST_NAT of nf_conntrack_common.h
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binary.NativeEndian.AppendUint32(nil, statusDstNAT), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}
