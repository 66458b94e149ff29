package lab

import "net/netip"

// A Standin plays one part alone, where the caller is: in a pod of a cluster,
// say, that has rules already. It obeys no commands and reports nothing. Its
// methods open the ports of the part and return; it is served until the process
// ends.
type Standin struct {
	// Name and Namespace are the workload's, in its certificate and answers.
	Name, Namespace string

	// Root is the authority of the mesh, see NewRoot. An application needs none.
	Root []byte

	// Find looks up what is behind a service. A proxy passes on what is not
	// found as it is; nil finds nothing. It may be called from several
	// goroutines at a time.
	Find func(service netip.AddrPort) (Upstream, bool)

	// Routes are where the ports of a gateway lead: to what Find finds, by
	// mutual TLS, or to the address itself.
	Routes map[int]netip.AddrPort
}

// An Upstream is one pod behind a service.
type Upstream struct {
	Pod      netip.AddrPort
	Workload string
}

// NewRoot makes an authority that all proxies of a mesh are to share. It
// contains its private key.
func NewRoot() ([]byte, error) { return newRoot() }

// ServeApp serves an application on some ports.
func (s Standin) ServeApp(ports ...int) error { return s.serveApp(ports) }

// ServeSidecar serves a sidecar whose pod has the rules Today, see WriteRules.
func (s Standin) ServeSidecar() error { return s.serveSidecar() }

// ServeGateway serves a gateway.
func (s Standin) ServeGateway() error { return s.serveGateway() }

// WriteRules writes the rules Today into the namespace of the caller by nftables,
// as Istio's init container does. It takes CAP_NET_ADMIN and no program.
func WriteRules() error { return writeRules() }
