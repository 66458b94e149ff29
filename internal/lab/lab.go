package lab

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"icap/nsswitch"
)

// Ports of the sidecar, as Istio's rules and documentation have them.
const (
	PortAdmin      = 15000 // Envoy's administration, 127.0.0.1 only.
	PortOutbound   = 15001 // Where REDIRECT in OUTPUT leads.
	PortDebug      = 15004 // The agent's debug server, 127.0.0.1 only.
	PortInbound    = 15006 // Where REDIRECT in PREROUTING leads.
	PortTunnel     = 15008 // HBONE.
	PortControl    = 15012 // istiod's, for proxies.
	PortAgent      = 15020 // The agent's merged metrics and probes.
	PortHealth     = 15021 // Envoy's readiness.
	PortDNS        = 15053 // The proxy's DNS server, on localhost.
	PortPrometheus = 15090 // Envoy's metrics.
)

// Defaults of a lab that tests may rely on.
const (
	DefaultAppPort = 8080
	ServicePort    = 9080
	OutsidePort    = 8081
	DatabasePort   = 3306 // Of the client as well; Excludes leaves it out.
	RejectPort     = 7    // Of the client: its firewall rejects with a reset.
	ProhibitedPort = 6    // Of the client: its firewall rejects by ICMP.

	// Of the gateway: to reviews in plaintext and by TLS, to the client's
	// OutsidePort in plaintext, and to reviews by TLS that it only passes on.
	GatewayPort      = 8080
	GatewayTLSPort   = 8443
	GatewayPlainPort = 8081
	GatewaySNIPort   = 15443
)

// The workloads.
const (
	workloadClient = "client"
	workloadApp    = "productpage"
	workloadServer = "reviews"
	workloadNode   = "node"

	workloadGateway  = "istio-ingressgateway"
	workloadOutsider = "outsider"
)

// A Config says what kind of lab to make. The zero value is a lab with the
// rules of today's Istio, applied by whatever the machine has.
type Config struct {
	// Rules is the rule set of the pods with a sidecar.
	Rules Rules

	// Apply is the way the rules go into the kernel.
	Apply Apply

	// AppPort is where the applications listen. Zero means DefaultAppPort.
	// A port inside the ephemeral range, such as 40000, is a good trap for
	// filters that tell roles by port.
	AppPort int

	// RootProxy makes the proxy run as root with the gid of the rules, as
	// it does with TPROXY. Redirected self-calls then do not work.
	RootProxy bool

	// Localhost makes sidecars call their applications by 127.0.0.1 and from
	// there, as with Istio's inboundTrafficPolicy LOCALHOST, for connections
	// that came over IPv4.
	Localhost bool

	// ProxyID is uid and gid of the proxy, in the rules too. Zero means
	// those of the rule set.
	ProxyID int

	// BareListeners makes ztunnel mark only the sockets that it connects. The
	// real one marks all of them, so that conntrack shows the mark of ambient
	// mode on every connection that ztunnel has an end of on lo.
	BareListeners bool

	// Ephemeral is the range of ephemeral ports in the pods, both ends
	// included. Zero leaves it to the kernel.
	Ephemeral [2]int

	// Patience is how long proxies try to connect to Lost. Zero means 50 ms,
	// in which a kernel sends one SYN; it sends the next after a second.
	Patience time.Duration

	// Gateway adds a gateway and a client of it outside the pod network.
	Gateway bool

	// HostGateway adds them too, with the gateway in the network of the node.
	// The node then tracks connections, as it does where kube-proxy runs.
	HostGateway bool

	// KeyLog gets the secrets of all TLS connections, in the format that
	// Wireshark and others read as SSLKEYLOGFILE. It may be nil.
	KeyLog io.Writer

	// Log gets a line for each step and for what stand-ins complain about.
	// It may be nil.
	Log io.Writer
}

// A Pod is a network namespace with an address and perhaps a sidecar.
type Pod struct {
	Name      string // Name is the workload, such as "productpage".
	Namespace string // Namespace is the Kubernetes namespace.
	Netns     string // Netns is the file name below /run/netns.

	Addr  netip.Addr
	Addr6 netip.Addr // Addr6 is invalid if the kernel has no IPv6.

	// NS is open until the lab is closed.
	NS *nsswitch.NS

	AppPID   int
	ProxyPID int // ProxyPID is zero without a sidecar.

	// ProxyUID and ProxyGID are whom the proxy runs as.
	ProxyUID, ProxyGID int

	app, proxy *process
	meshed     bool // meshed pods have rules and a proxy.
}

// A Lab is a running set of pods. Its methods may be called from several
// goroutines at a time.
type Lab struct {
	Client *Pod // Client has no sidecar and plays the outside as well.
	App    *Pod // App is productpage, the pod to look at.
	Server *Pod // Server is reviews, the peer in the mesh.

	// Gateway is an ingress gateway without rules, and Outsider a client
	// outside of the pod network, if Config.Gateway asks for them. What the
	// gateway sends and gets shows the same addresses on the node's br0 and
	// eth0 as in its pod.
	Gateway, Outsider *Pod

	// Node plays the resolver and, from 169.254.7.127, the kubelet. It is
	// nil where the rules have no use for either and there is no gateway.
	Node *Pod

	Rules   Rules
	Mode    Mode
	AppPort int

	// Service is the virtual address of reviews, OwnService that of
	// productpage, Outside is a plain server that the mesh does not know.
	Service, OwnService, Outside netip.AddrPort

	// The same over IPv6; invalid unless the rules are DualStack.
	Service6, OwnService6, Outside6 netip.AddrPort

	// Lost and Faulty are services of the mesh that do not work: connecting
	// to the pod of Lost times out, and the proxy resets callers of Faulty.
	Lost, Faulty netip.AddrPort

	// Resolver is the DNS server of the pods, if the rules capture queries.
	Resolver, Resolver6 netip.AddrPort

	// Applied is how the rules went in: never Auto.
	Applied Apply

	session   lastSession
	spec      ruleSpec
	dualStack bool

	state
}

// New makes a lab. It first removes what dead owners have left. The context
// bounds New only; the lab lives until Close. When New fails it has taken
// down whatever it had made.
func New(ctx context.Context, c Config) (*Lab, error) { return newLab(ctx, c) }

// Close ends the stand-ins and removes the namespaces. Calling it again does
// nothing and returns the first result.
func (l *Lab) Close() error { return l.close() }

// Flows is all that the programs in a pod have done so far, as the truth that
// a capture in the pod can be judged by. A flow belongs to it as soon as a
// program in the pod has got its socket.
func (l *Lab) Flows(ctx context.Context, p *Pod) ([]Flow, error) {
	reports, err := l.reports(ctx)
	if err != nil {
		return nil, err
	}
	return flowsOf(p, reports), nil
}

// reports are the sockets that the programs of each pod have reported.
func (l *Lab) reports(ctx context.Context) (map[*Pod][]Socket, error) {
	reports := map[*Pod][]Socket{}
	for _, p := range []*Pod{l.Client, l.App, l.Server, l.Node, l.Gateway, l.Outsider} {
		if p == nil {
			continue
		}
		for _, r := range []*process{p.app, p.proxy} {
			if r == nil {
				continue
			}
			s, err := r.reported(ctx)
			if err != nil {
				return nil, fmt.Errorf("sockets of %s: %w", p.Name, err)
			}
			reports[p] = append(reports[p], s...)
		}
	}
	return reports, nil
}

// CleanStale removes the namespaces of owners that are dead: killed tests and
// killed demonstrations. Those of live processes, and of processes in another
// PID namespace, stay.
func CleanStale() error { return cleanStale() }

// RunRole turns the process into a stand-in if it was started as one, and
// then does not return; otherwise it returns at once. It belongs at the very
// start of main and of TestMain.
func RunRole() { runRole() }

// NewNamespace makes an empty network namespace with lo up and a name below
// /run/netns. The caller closes the handle and calls RemoveNamespace.
func NewNamespace(name string) (*nsswitch.NS, error) { return newNamespace(name) }

// NewOwned makes a namespace as NewNamespace does, under a name that ends in
// suffix and by which CleanStale knows when its owner is dead.
func NewOwned(suffix string) (ns *nsswitch.NS, name string, err error) {
	return newOwned(suffix)
}

// RemoveNamespace takes the name away. The namespace itself ends with the
// last process and the last open handle in it. A name that is not there is
// no error.
func RemoveNamespace(name string) error { return removeNamespace(name) }

// Veth joins two namespaces by a pair of interfaces and sets both up.
func Veth(a *nsswitch.NS, aName string, b *nsswitch.NS, bName string) error {
	return veth(a, aName, b, bName)
}

// AddAddr gives an interface addresses that can be used at once: duplicate
// address detection is off for them.
func AddAddr(ns *nsswitch.NS, ifname string, prefixes ...netip.Prefix) error {
	return addAddr(ns, ifname, prefixes)
}

// SendUDP sends n datagrams with size bytes of payload from a namespace and
// returns how many the kernel took. They are sent one after the other by one
// blocking socket; the payload begins with a big-endian 32-bit counter where
// there is room for it.
func SendUDP(ns *nsswitch.NS, to netip.AddrPort, n, size int) (int, error) {
	return sendUDP(ns, to, n, size)
}
