// Package lab builds two Istio pods and the world around them out of nothing
// but the kernel, for tests and for the demonstration.
//
// A lab has four network namespaces of its own: a node with a bridge, and
// three pods that hang on it by veth pairs.
//
//	client       10.244.0.10   outside the mesh; serves plain HTTP on 8081
//	productpage  10.244.0.11   app and sidecar
//	reviews      10.244.0.12   app and sidecar, behind 10.96.0.10:9080
//
// The rules in the two meshed pods are what Istio's own program writes, kept
// as input for iptables-restore in testdata. Where that program is missing
// the same text goes in through nftables, see [Apply].
//
// The programs in the pods are stand-ins: the running binary, started again
// inside a namespace under the uid of its part. [RunRole] makes that work and
// has to be the first call of main, or of TestMain. The stand-in for Envoy
// does what decides how packets look: it asks for the original destination,
// ends and begins mutual TLS with SPIFFE certificates, connects to the
// application from 127.0.0.6, and passes on what is not in the mesh. It is no
// HTTP proxy and keeps no pools: one connection in is one connection out.
//
// A lab costs about a tenth of a second, needs CAP_SYS_ADMIN,
// CAP_NET_ADMIN, CAP_SETUID and CAP_SETGID, and changes nothing in the
// namespace it is made from:
//
//	l, err := lab.New(ctx, lab.Config{})
//	if err != nil {
//		return err
//	}
//	defer l.Close()
//	x, err := l.Inbound(ctx, true, "/hello")
//
// The namespaces are named, so that ip-netns(8) and icap itself find them.
// Close removes them. What a killed owner has left is removed by the next
// New, or by [CleanStale]: names carry the owner's PID, start time and PID
// namespace. The stand-ins of a killed owner end by themselves because their
// standard input does.
package lab
