package istiofilter

import "net/netip"

// ProxySources are the addresses from which Istio's proxy connects to the app,
// 127.0.0.6 and ::6. No interface need have them.
func ProxySources() []netip.Addr { return []netip.Addr{proxySource4, proxySource6} }
