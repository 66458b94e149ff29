package socktrace

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// A layout is where the kernel that runs has what the programs read, in bytes.
type layout struct {
	family, state, port, dport int32 // in struct sock_common
	src, dst, src6, dst6, net  int32
	lock, uid, protocol        int32 // in struct sock
	sport                      int32 // in struct inet_sock; it stays when the socket is closed
	inum                       int32 // in struct net
	head, network, transport   int32 // in struct sk_buff
	route, device, deviceNet   int32 // to the namespace of a packet
	reason                     bool  // tcp_send_reset has that argument
	reasons                    map[uint32]string
}

// readLayout asks the kernel's BTF.
func readLayout() (*layout, error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("read the kernel's types (BTF): %w", err)
	}
	var l layout
	for _, f := range []struct {
		to   *int32
		path string
	}{
		{&l.family, "sock_common.skc_family"}, {&l.state, "sock_common.skc_state"},
		{&l.port, "sock_common.skc_num"}, {&l.dport, "sock_common.skc_dport"},
		{&l.src, "sock_common.skc_rcv_saddr"}, {&l.dst, "sock_common.skc_daddr"},
		{&l.src6, "sock_common.skc_v6_rcv_saddr"}, {&l.dst6, "sock_common.skc_v6_daddr"},
		{&l.net, "sock_common.skc_net"}, {&l.lock, "sock.sk_lock.owned"},
		{&l.uid, "sock.sk_uid"}, {&l.protocol, "sock.sk_protocol"}, {&l.sport, "inet_sock.inet_sport"}, {&l.inum, "net.ns.inum"},
		{&l.head, "sk_buff.head"}, {&l.network, "sk_buff.network_header"}, {&l.transport, "sk_buff.transport_header"},
		{&l.route, "sk_buff._skb_refdst"}, {&l.device, "dst_entry.dev"}, {&l.deviceNet, "net_device.nd_net"},
	} {
		// A kernel without IPv6 has no sockets that need its fields.
		if *f.to, err = fieldOffset(spec, f.path); err != nil && !strings.Contains(f.path, "_v6_") {
			return nil, err
		}
	}
	l.reason = arguments(spec, "tcp_send_reset") > 3
	l.reasons = reasonNames(spec)
	return &l, nil
}

// fieldOffset is where a field is in a struct of the kernel: "net.ns.inum" is
// where inum is in ns in struct net.
func fieldOffset(spec *btf.Spec, path string) (int32, error) {
	names := strings.Split(path, ".")
	var s *btf.Struct
	if err := spec.TypeByName(names[0], &s); err != nil {
		return 0, fmt.Errorf("struct %s of the kernel: %w", names[0], err)
	}
	var t btf.Type = s
	at := int32(0)
	for _, name := range names[1:] {
		offset, next, ok := member(t, name)
		if !ok {
			return 0, fmt.Errorf("struct %s of the kernel has no %s", names[0], path)
		}
		at, t = at+offset, next
	}
	return at, nil
}

// member finds a field in a struct, also in those without a name inside it.
func member(t btf.Type, name string) (offset int32, of btf.Type, ok bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		at := int32(m.Offset.Bytes())
		if m.Name == name && m.BitfieldSize == 0 {
			return at, m.Type, true
		}
		if m.Name != "" {
			continue
		}
		if inner, of, ok := member(m.Type, name); ok {
			return at + inner, of, true
		}
	}
	return 0, nil, false
}

// arguments counts those of a raw tracepoint, and one for its data, which comes
// first; 0 if the kernel does not say.
func arguments(spec *btf.Spec, tracepoint string) int {
	var t *btf.Typedef
	if spec.TypeByName("btf_trace_"+tracepoint, &t) != nil {
		return 0
	}
	p, ok := t.Type.(*btf.Pointer)
	if !ok {
		return 0
	}
	f, ok := p.Target.(*btf.FuncProto)
	if !ok {
		return 0
	}
	return len(f.Params)
}

// reasonNames are those of enum sk_rst_reason.
func reasonNames(spec *btf.Spec) map[uint32]string {
	names := make(map[uint32]string)
	var e *btf.Enum
	if spec.TypeByName("sk_rst_reason", &e) != nil {
		return names
	}
	for _, v := range e.Values {
		if v.Value == 0 {
			continue // not specified
		}
		names[uint32(v.Value)] = strings.TrimPrefix(v.Name, "SK_RST_REASON_")
	}
	return names
}
