package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"icap/nsswitch"
)

// namespaceDefault is the Kubernetes namespace of all pods.
const namespaceDefault = "default"

// appUID is user and group of applications.
const appUID = 1000

// bridge is the interface of the node that pods are plugged into.
const bridge = "br0"

// state is what a lab needs to be built and to be taken down.
type state struct {
	log        io.Writer
	keyLog     io.Writer // keyLog is nil if nobody wants the secrets.
	ipv6       bool      // ipv6 means that new namespaces have it.
	ephemeral  [2]int
	patience   time.Duration
	node       *nsswitch.NS
	nodeName   string
	namespaces []namespace
	processes  []*process
	once       sync.Once
	closed     error
}

// A namespace is a name with an open handle.
type namespace struct {
	name string
	ns   *nsswitch.NS
}

func newLab(ctx context.Context, c Config) (*Lab, error) {
	// A program that forgot RunRole would run on as itself in each stand-in,
	// and make labs without end.
	if os.Getenv(roleEnv) != "" {
		return nil, errors.New("make lab: called in a stand-in: main or TestMain does not call lab.RunRole")
	}
	spec, err := c.spec()
	if err != nil {
		return nil, fmt.Errorf("make lab: %w", err)
	}
	l := &Lab{Rules: c.Rules, Mode: spec.mode, AppPort: c.AppPort, Applied: c.Apply.choose(spec)}
	l.spec, l.dualStack, l.ephemeral, l.patience = spec, spec.dualStack, c.Ephemeral, c.Patience
	if l.AppPort == 0 {
		l.AppPort = DefaultAppPort
	}
	l.log = io.Discard
	if c.Log != nil {
		l.log = &syncWriter{w: c.Log}
	}
	if c.KeyLog != nil {
		l.keyLog = &syncWriter{w: c.KeyLog}
	}
	begin := time.Now()
	if err := l.build(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("make lab: %w", err), l.Close())
	}
	l.logf("ready after %v", time.Since(begin).Round(time.Millisecond))
	return l, nil
}

// spec is the rule set with what the configuration changes.
func (c Config) spec() (ruleSpec, error) {
	s, err := c.Rules.spec()
	if c.ProxyID != 0 && s.mode != Tunnel {
		s.id = c.ProxyID
	}
	s.bare, s.localhost = c.BareListeners, c.Localhost
	s.root = c.RootProxy || s.mode != Redirect
	return s, err
}

// build makes the lab step by step. What it has made when it fails is known
// to close.
func (l *Lab) build(ctx context.Context, c Config) error {
	if err := cleanStale(); err != nil {
		l.logf("%v", err)
	}
	if err := l.buildNode(); err != nil {
		return err
	}
	if l.dualStack && !l.ipv6 {
		return errors.New("rules for two stacks, but the kernel has no IPv6 or has it disabled")
	}
	l.Client = &Pod{Name: workloadClient}
	l.App = &Pod{Name: workloadApp, meshed: true}
	l.Server = &Pod{Name: workloadServer, meshed: true}
	for i, p := range l.pods() {
		if err := l.buildPod(p, byte(10+i)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for _, p := range l.pods() {
		if !p.meshed {
			continue
		}
		p.ProxyUID, p.ProxyGID = l.spec.id, l.spec.id
		if l.spec.root {
			p.ProxyUID = 0
		}
		if err := apply(ctx, p.NS, l.spec, l.Applied); err != nil {
			return err
		}
		l.logf("%s: rules %v by %v, proxy uid %d, gid %d", p.Name, c.Rules, l.Applied, p.ProxyUID, p.ProxyGID)
	}
	if err := rejectPorts(l.Client.NS); err != nil {
		return err
	}
	l.addressServices()
	if err := l.furnishNode(); err != nil {
		return err
	}
	if c.Gateway || c.HostGateway {
		if err := l.buildGateway(c.HostGateway); err != nil {
			return err
		}
	}
	return l.startAll(ctx)
}

func (l *Lab) pods() [3]*Pod { return [3]*Pod{l.Client, l.App, l.Server} }

// podAddr and podAddr6 are the addresses of the pod network.
func podAddr(host byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 244, 0, host}) }

func podAddr6(host byte) netip.Addr {
	a := netip.MustParseAddr("fd00:10:244::").As16()
	a[15] = host
	return netip.AddrFrom16(a)
}

// attach gives an interface its addresses in the pod network.
func (l *Lab) attach(ns *nsswitch.NS, ifname string, host byte) error {
	prefixes := []netip.Prefix{netip.PrefixFrom(podAddr(host), 24)}
	if l.ipv6 {
		prefixes = append(prefixes, netip.PrefixFrom(podAddr6(host), 64))
	}
	return addAddr(ns, ifname, prefixes)
}

// nodeHost is the node's number in the pod network.
const nodeHost = 1

func (l *Lab) buildNode() error {
	ns, name, err := l.namespace("node")
	if err != nil {
		return err
	}
	l.node, l.nodeName = ns, name
	if l.ipv6, err = haveIPv6(ns); err != nil {
		return err
	}
	if err := addBridge(ns, bridge); err != nil {
		return err
	}
	l.logf("node: %s, bridge %s", name, bridge)
	return l.attach(ns, bridge, nodeHost)
}

// buildPod makes a pod's namespace and plugs it into the node.
func (l *Lab) buildPod(p *Pod, host byte) error {
	var err error
	if p.NS, p.Netns, err = l.namespace(p.Name); err != nil {
		return err
	}
	p.Namespace, p.Addr = namespaceDefault, podAddr(host)
	port := portOf(host)
	if err := veth(p.NS, "eth0", l.node, port); err != nil {
		return err
	}
	if err := plug(l.node, port, bridge); err != nil {
		return err
	}
	if err := l.attach(p.NS, "eth0", host); err != nil {
		return err
	}
	if err := addDefault(p.NS, "eth0", podAddr(nodeHost)); err != nil {
		return err
	}
	if err := setEphemeral(p.NS, l.ephemeral); err != nil {
		return err
	}
	l.logf("%s: %s, %s", p.Name, p.Netns, p.Addr)
	if !l.ipv6 {
		return nil
	}
	p.Addr6 = podAddr6(host)
	if err := addDefault(p.NS, "eth0", podAddr6(nodeHost)); err != nil {
		return err
	}
	if l.dualStack && p.meshed && l.Mode != Tunnel {
		return addAddr(p.NS, "lo", []netip.Prefix{netip.PrefixFrom(inboundSource6, 128)})
	}
	return nil
}

// portOf is the node's end of the wire to a pod.
func portOf(host byte) string { return fmt.Sprintf("veth%d", host) }

// namespace makes a namespace that close removes.
func (l *Lab) namespace(suffix string) (*nsswitch.NS, string, error) {
	ns, name, err := newOwned(suffix)
	if err == nil {
		l.namespaces = append(l.namespaces, namespace{name, ns})
	}
	return ns, name, err
}

func (l *Lab) close() error {
	l.once.Do(func() { l.closed = l.tearDown() })
	return l.closed
}

// tearDown ends the processes side by side, then gives the namespaces back.
func (l *Lab) tearDown() error {
	var (
		wg   sync.WaitGroup
		errs = make([]error, len(l.processes))
	)
	for i, p := range l.processes {
		wg.Go(func() { errs[i] = p.stop() })
	}
	wg.Wait()
	for _, n := range l.namespaces {
		errs = append(errs, n.ns.Close(), removeNamespace(n.name))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close lab: %w", err)
	}
	return nil
}

func (l *Lab) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(l.log, format+"\n", args...)
}

// haveIPv6 reports whether IPv6 is built in and enabled in a namespace.
func haveIPv6(ns *nsswitch.NS) (have bool, err error) {
	err = ns.Do(func() error {
		b, err := os.ReadFile("/proc/sys/net/ipv6/conf/all/disable_ipv6")
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		have = strings.TrimSpace(string(b)) == "0"
		return err
	})
	return have, err
}

// A syncWriter lets the owner and the readers of stand-ins share a log.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *syncWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(b)
}
