package main

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"icap/internal/kernel"
	"icap/nsswitch"
)

// An ownStream is a connection through which the output of icap leaves. Where
// it is captured, each of its packets makes another.
type ownStream struct {
	ns   nsswitch.ID
	expr string // what it is, as a filter
	via  string // whose it is, in words
}

// spare returns an expression that leaves out the streams of the output which
// are in the namespace of a place.
func (s *session) spare(p *place, expr string) string {
	if s.flags.output != "-" || s.flags.includeOwn || s.out != os.Stdout {
		return expr
	}
	if !s.ownKnown {
		s.own, s.ownKnown = findOwnStreams(s.out, s.flags.procRoot), true
	}
	var told []string
	for _, o := range s.own {
		if o.ns != p.ns.ID() || slices.Contains(told, o.expr) {
			continue
		}
		told = append(told, o.expr)
		fmt.Fprintf(s.errs, "icap: note: the output's own stream is left out (%s): not %s; --include-own-stream captures it\n", printable(o.via), o.expr)
		expr = both(expr, "not ("+o.expr+")")
	}
	return expr
}

// streamExpr is a filter for a connection.
func streamExpr(a, b netip.AddrPort) string {
	return fmt.Sprintf("tcp and host %s and host %s and port %d and port %d",
		a.Addr().WithZone(""), b.Addr().WithZone(""), a.Port(), b.Port())
}

// kubeletPort is where the kubelet takes streams of kubectl exec from the API
// server.
const kubeletPort = "tcp port 10250"

// Programs that pass on what containers say to their standard output.
var (
	shims    = []string{"containerd-shim", "conmon"}
	runtimes = []string{"containerd", "crio", "dockerd"}
)

// ofReader are the streams of a process that reads what icap writes.
func ofReader(proc string, p kernel.Process) []ownStream {
	if slices.ContainsFunc(shims, func(shim string) bool { return strings.HasPrefix(p.Command, shim) }) {
		return ofRuntime(proc, p)
	}
	return ofProcess(proc, p)
}

// ofProcess are the TCP connections of a process. What has very many of them is
// no program that passes on one stream.
func ofProcess(proc string, p kernel.Process) (own []ownStream) {
	const most = 16
	streams, err := kernel.Streams(proc, p.PID)
	ns, nerr := nsswitch.Proc{Root: proc}.Open(nsswitch.Process{PID: p.PID})
	if nerr != nil {
		return nil
	}
	defer ns.Close()
	if err != nil || len(streams) > most {
		return nil
	}
	for _, s := range streams {
		own = append(own, ownStream{ns.ID(), streamExpr(s.Local, s.Remote), fmt.Sprintf("pid %d %s", p.PID, p.Command)})
	}
	return own
}

// ofRuntime are the streams of kubectl exec: from the API server to the kubelet
// and from there to the container runtime.
func ofRuntime(proc string, shim kernel.Process) (own []ownStream) {
	programs, err := kernel.Named(proc, append(runtimes, "kubelet")...)
	if err != nil {
		return nil
	}
	var seen []nsswitch.ID
	for _, p := range programs {
		ns, err := nsswitch.Proc{Root: proc}.Open(nsswitch.Process{PID: p.PID})
		if err != nil {
			continue
		}
		if id := ns.ID(); !slices.Contains(seen, id) {
			seen = append(seen, id)
			own = append(own, ownStream{id, kubeletPort, fmt.Sprintf("kubectl exec, pid %d %s", shim.PID, shim.Command)})
		}
		_ = ns.Close() // it was only asked for its number
		if slices.Contains(runtimes, p.Command) {
			own = append(own, ofProcess(proc, p)...)
		}
	}
	return own
}

// ofSSH is the connection that sshd says it has started a command for, which
// is a hint: "client 50000 server 22".
func ofSSH(connection string, ns nsswitch.ID) []ownStream {
	f := strings.Fields(connection)
	if len(f) != 4 {
		return nil
	}
	a, aerr := netip.ParseAddrPort(joinPort(f[0], f[1]))
	b, berr := netip.ParseAddrPort(joinPort(f[2], f[3]))
	if aerr != nil || berr != nil {
		return nil
	}
	return []ownStream{{ns, streamExpr(a, b), "SSH_CONNECTION"}}
}

func joinPort(addr, port string) string {
	if strings.Contains(addr, ":") {
		addr = "[" + addr + "]"
	}
	return addr + ":" + port
}
