// Package lab builds Istio pods and the world around them out of nothing but
// the kernel, for tests and for the demonstration.
//
// A lab has four network namespaces of its own: a node with a bridge, and
// three pods that hang on it by veth pairs.
//
//	node         10.244.0.1    br0; see Lab.Node
//	client       10.244.0.10   outside the mesh; serves plain HTTP on 8081
//	productpage  10.244.0.11   app and proxy
//	reviews      10.244.0.12   app and proxy, behind 10.96.0.10:9080
//
// Config.Gateway adds two more: a gateway in the pod network, 10.244.0.13,
// and a client behind the node's uplink eth0, 192.0.2.10.
//
// # Modes
//
// The rules in the two meshed pods are, rule by rule, what Istio's own
// programs write. [Rules] names the sets:
//
//	Today Article DualStack       sidecar, REDIRECT
//	DNS DNSAll Excludes ExcludeNets
//	                              the same with options
//	TProxy TProxy6                sidecar, TPROXY
//	Native NativeDNS NativeTProxy sidecar, Istio's own nftables tables
//	Ambient Ambient6 AmbientDNS AmbientDNS6 AmbientIngress
//	                              ztunnel in the pod, HBONE
//
// They go in by iptables-restore, iptables-legacy-restore or nft. Where the
// former is missing, sets of the nat table alone go in through nftables, see
// [Apply].
//
// The programs in the pods are stand-ins: the running binary, started again
// inside a namespace under the uid of its part. [RunRole] makes that work and
// has to be the first call of main, or of TestMain. The stand-ins for Envoy
// and ztunnel do what decides how packets look: they ask for the original
// destination, end and begin mutual TLS with SPIFFE certificates and HBONE,
// connect to the application from 127.0.0.6 or from the client's own address,
// mark what Istio marks, answer DNS, and pass on what is not in the mesh. They
// are no HTTP proxies and keep no pools: one connection in is one connection
// out. The process of a ztunnel is on the node, its sockets are in the pod.
//
// # Cases and truth
//
// [Lab.Cases] and [Lab.GatewayCases] list the traffic that the rules of a lab
// allow for: inbound and outbound, in the mesh and past it, to itself, to the
// proxy's ports, from the proxy and its agent, DNS, UDP, resets and refusals
// by everybody involved, connections older than the capture, one port with
// two destinations, and most of it over IPv6. [Lab.Run] makes the traffic of
// one. [Lab.Flows] tells the truth that a capture can be judged by: for each
// connection its leg and what packet sockets show of it, as follows from what
// the kernel told the programs about their own sockets.
//
// A lab costs about a tenth of a second, needs CAP_SYS_ADMIN,
// CAP_NET_ADMIN, CAP_SETUID and CAP_SETGID, and changes nothing in the
// namespace it is made from:
//
//	l, err := lab.New(ctx, lab.Config{Rules: lab.TProxy})
//	if err != nil {
//		return err
//	}
//	defer l.Close()
//	for _, c := range l.Cases() {
//		r, err := l.Run(ctx, c, nil)
//		...
//	}
//
// The namespaces are named, so that ip-netns(8) and icap itself find them.
// Close removes them. What a killed owner has left is removed by the next
// New, or by [CleanStale]: names carry the owner's PID, start time and PID
// namespace. The stand-ins of a killed owner end by themselves because their
// standard input does.
package lab
