package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"icap/nsswitch"
)

// How the two ends of a stand-in talk: the owner writes a part, then
// commands, to standard input; the stand-in writes a reply when its listeners
// are open, then one for each command. Standard input is the lifeline as
// well: the kernel closes it whichever way the owner ends.

// roleEnv names the part in the environment of a stand-in.
const roleEnv = "ICAP_LAB_ROLE"

// raceEnv matters if the program was built with the race detector, which
// otherwise lets every process wait for a second before it ends.
const raceEnv = "GORACE=atexit_sleep_ms=0"

// The kinds of stand-ins.
const (
	kindEnvoy  = "envoy"
	kindApp    = "app"
	kindClient = "client"
	kindNode   = "node"
	kindTunnel = "ztunnel"

	kindGateway = "gateway"
)

// A part is all that a stand-in gets to know.
type part struct {
	Kind      string
	Name      string // Name is the workload.
	UID, GID  int    // UID and GID are whom the stand-in runs as.
	Ports     []int  // Ports are where an application listens.
	Mode      Mode   // Mode is how a proxy gets its connections.
	Netns     string // Netns is the pod that a ztunnel serves.
	Bare      bool   // Bare means that its listeners have no mark.
	DualStack bool
	Localhost bool // Localhost is where a sidecar calls its application.
	Identity  identity
	Mesh      []endpoint
	KeyLog    bool // KeyLog asks for the secrets of TLS connections.

	// Routes are the upstreams of a gateway, by its port.
	Routes map[int]netip.AddrPort

	// Hosts are the names that a DNS server answers, Servers where it
	// serves, Resolver is whom it asks about others.
	Hosts    map[string]netip.Addr
	Servers  []netip.AddrPort
	Resolver netip.AddrPort

	secrets  io.Writer // secrets takes them in the stand-in.
	sockets  socketer  // sockets makes and reports the stand-in's sockets.
	discover finder    // discover is asked in place of Mesh, if not nil.
}

// An endpoint is what a sidecar knows about a service.
type endpoint struct {
	Service string // Service is the address and port that applications use.
	Pod     string // Pod is the address and port behind it.
	SNI     string

	Plain   bool          // Plain is an endpoint without a proxy.
	Timeout time.Duration // Timeout of connecting, dialTimeout if zero.
	Abort   bool          // Abort makes the sidecar reset the caller.
}

// A reply answers a command, or is a line of the key log, or else says that
// the stand-in is ready, or why not.
type reply struct {
	ID       int       `json:",omitempty"`
	Exchange *Exchange `json:",omitempty"`
	Socket   *Socket   `json:",omitempty"`
	KeyLog   string    `json:",omitempty"`
	Err      string    `json:",omitempty"`
}

const (
	readyTimeout = 10 * time.Second
	stopTimeout  = 2 * time.Second
)

// errNoReply is a stand-in that ends, or says something else, before it is
// ready: a panic, or a program that went its own way.
var errNoReply = errors.New("it did not report (does main or TestMain call lab.RunRole?)")

// A process is a running stand-in, seen by its owner.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{} // done is closed when the process has been reaped.
	ready chan error    // ready has room for a reply and errNoReply.

	mu      sync.Mutex
	last    int
	waiting map[int]chan<- Exchange // waiting is nil after the end.
	sockets []Socket                // sockets are those reported so far.
}

// start starts the calling program again as a stand-in: inside a namespace, in
// a process group of its own so that a terminal's ^C reaches only the owner.
// It does not wait for the listeners.
//
// The program is started as /proc/self/exe, which leads to it also when it has
// been deleted. The stand-in changes to its user by itself, since that user
// need not be allowed to execute the program.
func start(ns *nsswitch.NS, p part, env []string, log, keyLog io.Writer) (*process, error) {
	name := p.Kind + " of " + p.Name
	cmd := &exec.Cmd{
		Path:        "/proc/self/exe",
		Args:        []string{p.Kind, p.Name},
		Dir:         "/",
		Env:         append(env, roleEnv+"="+p.Kind, "HOSTNAME="+p.Name, raceEnv),
		Stderr:      log,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), stdin.Close())
	}
	if err := ns.Do(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	r := &process{
		name:    name,
		cmd:     cmd,
		stdin:   stdin,
		done:    make(chan struct{}),
		ready:   make(chan error, 2),
		waiting: map[int]chan<- Exchange{},
	}
	go r.read(stdout, keyLog)
	if err := json.NewEncoder(stdin).Encode(p); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), r.stop())
	}
	return r, nil
}

// read hands out replies until the stand-in ends, then reaps it.
func (p *process) read(stdout io.Reader, keyLog io.Writer) {
	d := json.NewDecoder(stdout)
	for {
		var r reply
		if err := d.Decode(&r); err != nil {
			p.ready <- errNoReply
			break
		}
		switch {
		case r.Exchange != nil:
			p.deliver(r)
		case r.Socket != nil:
			p.mu.Lock()
			p.sockets = append(p.sockets, *r.Socket)
			p.mu.Unlock()
		case r.KeyLog != "":
			_, _ = io.WriteString(keyLog, r.KeyLog)
		default:
			p.ready <- readiness(r)
		}
	}
	_ = p.cmd.Wait()
	p.mu.Lock()
	p.waiting = nil
	p.mu.Unlock()
	close(p.done)
}

// deliver gives an exchange to its caller, if there is still one.
func (p *process) deliver(r reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.waiting[r.ID]; ok {
		c <- *r.Exchange
		delete(p.waiting, r.ID)
	}
}

func readiness(r reply) error {
	if r.Err != "" {
		return errors.New(r.Err)
	}
	return nil
}

// wait returns when the listeners are open.
func (p *process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var err error
	select {
	case err = <-p.ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("wait for %s: %w", p.name, err)
	}
	return nil
}

// call lets the stand-in obey a command, whose number it fills in.
func (p *process) call(ctx context.Context, o command) (Exchange, error) {
	c := make(chan Exchange, 1)
	id, err := p.send(o, c)
	if err != nil {
		return Exchange{}, err
	}
	select {
	case x := <-c:
		return x, nil
	case <-p.done:
		return Exchange{}, fmt.Errorf("%s has ended", p.name)
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.waiting, id)
		p.mu.Unlock()
		return Exchange{}, ctx.Err()
	}
}

// send writes a command whose answer goes to c.
func (p *process) send(o command, c chan<- Exchange) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		return 0, fmt.Errorf("%s has ended", p.name)
	}
	p.last++
	o.ID = p.last
	if err := json.NewEncoder(p.stdin).Encode(o); err != nil {
		return 0, fmt.Errorf("tell %s: %w", p.name, err)
	}
	p.waiting[p.last] = c
	return p.last, nil
}

// stop cuts the lifeline, waits, and kills what does not react.
func (p *process) stop() error {
	err := p.stdin.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	select {
	case <-p.done:
		return err
	case <-time.After(stopTimeout):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return errors.Join(err, fmt.Errorf("%s did not end by itself and was killed", p.name))
}

// pid is the stand-in's number in the owner's PID namespace.
func (p *process) pid() int { return p.cmd.Process.Pid }

// reported waits for what the stand-in has said before and returns the
// sockets that it has reported so far.
func (p *process) reported(ctx context.Context) ([]Socket, error) {
	if _, err := p.call(ctx, command{Op: opSync}); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sockets), nil
}

// proxyEnv is what the istio-proxy container of a pod has in its environment
// and what tools look for there.
func proxyEnv(p *Pod, m Mode) []string {
	if m == Tunnel {
		return nil
	}
	interception := "REDIRECT"
	if m == Transparent {
		interception = "TPROXY"
	}
	return []string{
		"ISTIO_META_INTERCEPTION_MODE=" + interception,
		"ISTIO_META_WORKLOAD_NAME=" + p.Name,
		"INSTANCE_IP=" + p.Addr.String(),
		"POD_NAME=" + p.Name,
		"POD_NAMESPACE=" + p.Namespace,
		"SERVICE_ACCOUNT=" + p.Name,
	}
}
