package istiofilter_test

import (
	"fmt"
	"net/netip"

	"icap/istiofilter"
)

func ExamplePod_Filters() {
	pod := &istiofilter.Pod{
		Interfaces: []istiofilter.Interface{
			{Name: "lo", Loopback: true},
			{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.244.0.11")}},
		},
		Outbound: 15001,
		Inbound:  15006,
	}
	for _, f := range pod.Filters(istiofilter.InboundLegs) {
		fmt.Printf("%s %v: %s\n", f.Interface.Name, f.Exact, f.Expr)
	}
	// Output:
	// lo true: tcp and host 127.0.0.6
	// eth0 false: tcp
}

func ExampleClassifier() {
	c := istiofilter.NewClassifier(&istiofilter.Pod{
		Interfaces: []istiofilter.Interface{
			{Name: "eth0", Addrs: []netip.Addr{netip.MustParseAddr("10.244.0.11")}},
		},
		Outbound: 15001,
		Inbound:  15006,
	})
	const tcp = 6
	syn := istiofilter.Packet{
		Proto: tcp, SYN: true,
		Src: netip.MustParseAddrPort("10.244.0.12:50000"),
		Dst: netip.MustParseAddrPort("10.244.0.11:8080"),
	}
	answer := istiofilter.Packet{Proto: tcp, ACK: true, Sent: true, Src: syn.Dst, Dst: syn.Src}
	fmt.Println(c.Leg(&syn), c.Leg(&answer))
	// Output: inbound-wire inbound-wire
}
