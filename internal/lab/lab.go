package lab

import (
	"context"
	"io"
	"net/netip"

	"icap/nsswitch"
)

// Ports of the sidecar, as Istio's rules and documentation have them.
const (
	PortAdmin      = 15000 // Envoy's administration, 127.0.0.1 only.
	PortOutbound   = 15001 // Where REDIRECT in OUTPUT leads.
	PortDebug      = 15004 // The agent's debug server, 127.0.0.1 only.
	PortInbound    = 15006 // Where REDIRECT in PREROUTING leads.
	PortAgent      = 15020 // The agent's merged metrics and probes.
	PortHealth     = 15021 // Envoy's readiness.
	PortPrometheus = 15090 // Envoy's metrics.
)

// Defaults of a lab that tests may rely on.
const (
	DefaultAppPort = 8080
	ServicePort    = 9080
	OutsidePort    = 8081
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
	ProxyUID int // ProxyUID is user and group, zero without a sidecar.

	app, proxy *process
}

// A Lab is a running set of pods. Its methods may be called from several
// goroutines at a time.
type Lab struct {
	Client *Pod // Client has no sidecar and plays the outside as well.
	App    *Pod // App is productpage, the pod to look at.
	Server *Pod // Server is reviews, the peer in the mesh.

	AppPort int

	// Service is the virtual address of reviews, OwnService that of
	// productpage, Outside is a plain server that the mesh does not know.
	Service, OwnService, Outside netip.AddrPort

	// The same over IPv6; invalid unless the rules are DualStack.
	Service6, OwnService6, Outside6 netip.AddrPort

	// Applied is how the rules went in: never Auto.
	Applied Apply

	state
}

// New makes a lab. It first removes what dead owners have left. The context
// bounds New only; the lab lives until Close. When New fails it has taken
// down whatever it had made.
func New(ctx context.Context, c Config) (*Lab, error) { return newLab(ctx, c) }

// Close ends the stand-ins and removes the namespaces. Calling it again does
// nothing and returns the first result.
func (l *Lab) Close() error { return l.close() }

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
