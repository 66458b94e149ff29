// Package istiofilter knows which packets of a pod are which leg of Istio's
// traffic. It says so in the language of pcap-filter(7), as far as a filter
// can tell, and classifies packets one by one where it cannot.
//
// A request that comes into a pod with a sidecar passes two legs: from the
// client to the proxy on eth0, with mutual TLS as a rule, and from the proxy
// to the app on lo, in plaintext. A request that goes out passes lo first and
// eth0 then:
//
//	           eth0                    lo
//	client --inbound-wire-->  proxy --inbound-app-->  app
//	peer <--outbound-wire--   proxy <--outbound-app-- app
//
// A packet socket sees incoming packets ahead of the iptables rules that
// redirect them, and outgoing ones behind. So eth0 shows addresses as the
// network knows them, while on lo the app's own packets are addressed to the
// proxy at 127.0.0.1, and the answers come from the address the app had asked
// for.
//
// # Filters and the classifier
//
// A [Pod] is what has been read from the pod's network namespace. [Pod.Filters]
// gives a filter for every interface: an exact one where the legs wanted can be
// told from addresses and ports, else the smallest superset. A [Classifier]
// then tells the leg of each packet:
//
//	pod := &istiofilter.Pod{Interfaces: ..., Outbound: 15001, Inbound: 15006}
//	for _, f := range pod.Filters(istiofilter.AllLegs) {
//		fmt.Println(f.Interface, f.Expr)
//	}
//
// Where the proxy keeps its client's address, the app that calls itself, the
// proxy that calls itself, and the proxy that passes this call on look the
// same on lo. Then only the marks of the packets tell: see [Origin].
//
// A [Classifier] that is told of the connections that the kernel knows, with
// [Classifier.Know], puts those on their leg that are older than the capture.
//
// # What cannot be told
//
// Some connections look like those of another leg:
//
//   - The proxy's connections to a port of the control plane are on [Direct], as
//     are those to where the rules leave the app's own alone, unless the opener
//     is known.
//   - Where Istio is told to reach the app at 127.0.0.1, which it does not by
//     itself, the proxy's connections to the app are on [Self].
//   - Connections that are older than the capture, and that the kernel's
//     connection tracking has not told, are put on a leg by their ports. A
//     call of the proxy to its own pod is on [Self] until the proxy has sent
//     something.
package istiofilter
