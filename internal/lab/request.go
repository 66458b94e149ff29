package lab

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Paths with a meaning; every other one gets a greeting.
const (
	pathFetch = "/fetch" // pathFetch?url= makes an outbound request.
	pathBytes = "/bytes" // pathBytes?n= answers n bytes.
	pathReset = "/reset" // pathReset aborts the connection.

	pathProbe = "/app-health/" // Of the agent: pathProbe+PORT probes the app.
)

// Greeting is the body that a workload answers on an ordinary path.
func Greeting(workload, path string) string {
	return workload + ": GET " + path + "\n"
}

// A Request is one thing that a stand-in is told to fetch. Each goes over a
// connection of its own, which ends in an orderly way on both sides.
type Request struct {
	// To is whom to connect to; HTTP's Host header says the same.
	To netip.AddrPort

	// Path is the path and query to GET.
	Path string

	// MTLS makes the stand-in speak as a sidecar does: mutual TLS with the
	// SPIFFE certificate of its workload. Only Client can do so.
	MTLS bool

	// SNI is the server name of MTLS; empty means that of productpage.
	SNI string

	// Tunnel makes the stand-in speak as a ztunnel does: HBONE to port 15008
	// of the same address. Only Client can do so.
	Tunnel bool

	// Count is how often to ask over the one connection, with Pause between
	// two times. Zero means once. It makes connections that are older than
	// a capture. The sidecars end a connection after two minutes.
	Count int
	Pause time.Duration

	// From is the requester's own address; port 0 means any. Invalid means
	// that the kernel chooses both.
	From netip.AddrPort

	// Abort ends the connection with a reset after the last answer.
	Abort bool

	// Protocol is what to ask by; the other fields but To and From are
	// for HTTP.
	Protocol Protocol
}

// A Protocol is what a request is made by.
type Protocol int

const (
	// HTTP is GET over TCP.
	HTTP Protocol = iota
	// DNSOverUDP asks for the IPv4 address of the name in Path.
	DNSOverUDP
	// DNSOverTCP does so over TCP.
	DNSOverTCP
	// Echo sends Path in a datagram and waits for it to come back.
	Echo
)

// An Exchange is what came of a request, as seen from its two ends. The
// addresses are the truth that a capture can be judged by. Of several answers
// on one connection it holds the last.
type Exchange struct {
	Case   string // Case is the name of the helper, such as "inbound-mtls".
	Status int    // Status is HTTP's, zero if there was no answer.
	Body   string // Body is cut at 64 KiB.
	Size   int    // Size is the whole body's length.

	// Local and Remote are the requester's view of its connection.
	Local, Remote netip.AddrPort

	// Peer is where the request came from in the eyes of the server that
	// answered it: the source of the last leg.
	Peer netip.AddrPort

	// Err is why there was no answer.
	Err string
}

// Do lets the application of a pod make a request. An exchange that failed
// is no error of Do: resets and refusals are results as well.
func (l *Lab) Do(ctx context.Context, from *Pod, r Request) (Exchange, error) {
	x, err := from.app.call(ctx, command{Request: r})
	if err != nil {
		return Exchange{}, fmt.Errorf("request %s%s from %s: %w", r.To, r.Path, from.Name, err)
	}
	return x, nil
}

// Inbound fetches a path of productpage from outside, by mutual TLS as from
// another sidecar, or in plaintext. Legs: inbound-wire, inbound-app.
func (l *Lab) Inbound(ctx context.Context, mtls bool, path string) (Exchange, error) {
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	if mtls {
		return l.named(ctx, "inbound-mtls", l.Client, l.secure(Request{To: to, Path: path}))
	}
	return l.named(ctx, "inbound-plain", l.Client, Request{To: to, Path: path})
}

// OutboundMesh lets productpage call reviews by its service address. Legs:
// outbound-app, outbound-wire with mutual TLS.
func (l *Lab) OutboundMesh(ctx context.Context, path string) (Exchange, error) {
	return l.named(ctx, "outbound-mesh", l.App, Request{To: l.Service, Path: path})
}

// OutboundPassthrough lets productpage call a server that the mesh does not
// know. Legs: outbound-app, outbound-wire in plaintext.
func (l *Lab) OutboundPassthrough(ctx context.Context, path string) (Exchange, error) {
	return l.named(ctx, "outbound-passthrough", l.App, Request{To: l.Outside, Path: path})
}

// SelfDirect lets productpage call its own pod's address. Leg: self.
func (l *Lab) SelfDirect(ctx context.Context, path string) (Exchange, error) {
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	return l.named(ctx, "self-direct", l.App, Request{To: to, Path: path})
}

// SelfService lets productpage call its own service, so that the sidecar
// calls itself. Legs: outbound-app, self-wire, inbound-app, all on lo.
func (l *Lab) SelfService(ctx context.Context, path string) (Exchange, error) {
	return l.named(ctx, "self-service", l.App, Request{To: l.OwnService, Path: path})
}

// Localhost lets productpage call itself by 127.0.0.1. Leg: self.
func (l *Lab) Localhost(ctx context.Context, path string) (Exchange, error) {
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(l.AppPort))
	return l.named(ctx, "localhost", l.App, Request{To: to, Path: path})
}

// Health asks productpage's sidecar from outside whether it is ready, as a
// kubelet does. Leg: admin, on eth0.
func (l *Lab) Health(ctx context.Context) (Exchange, error) {
	to := netip.AddrPortFrom(l.App.Addr, PortHealth)
	return l.named(ctx, "health", l.Client, Request{To: to, Path: "/healthz/ready"})
}

// Admin asks Envoy's administration from within the pod. Leg: admin, on lo.
func (l *Lab) Admin(ctx context.Context) (Exchange, error) {
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), PortAdmin)
	return l.named(ctx, "admin", l.App, Request{To: to, Path: "/server_info"})
}

// Reset fetches from outside a path at which the application of productpage
// aborts the connection. The exchange fails; what it is for are the packets:
// a RST on inbound-app that the application caused, a FIN on inbound-wire.
func (l *Lab) Reset(ctx context.Context) (Exchange, error) {
	to := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	return l.named(ctx, "reset", l.Client, Request{To: to, Path: pathReset})
}

// Refused calls a port of productpage that nobody listens on. The sidecar
// accepts, is refused on lo by the kernel, and closes.
func (l *Lab) Refused(ctx context.Context) (Exchange, error) {
	to := netip.AddrPortFrom(l.App.Addr, 9)
	return l.named(ctx, "refused", l.Client, Request{To: to, Path: "/"})
}

func (l *Lab) named(ctx context.Context, name string, from *Pod, r Request) (Exchange, error) {
	x, err := l.Do(ctx, from, r)
	x.Case = name
	return x, err
}
