package istiofilter

// An Opener is who opened a connection that the pod has made, for one that the
// rules leave alone, that is to a port of the control plane, or that is of a
// gateway whose addresses are shared. It is not in the packet; the kernel knows
// whose the socket is.
type Opener uint8

const (
	// OpenerUnknown is that of a connection that nobody has asked about.
	OpenerUnknown Opener = iota
	OpenerApp
	OpenerProxy
	// OpenerAgent is the proxy's agent, on its own account.
	OpenerAgent
)
