package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"icap/afpacket"
	"icap/internal/pods"
	"icap/internal/sandbox"
	"icap/internal/socktrace"
)

// examine looks at this machine, and at the namespace of a target if one is
// named.
func examine(targets []string, flags *doctorFlags) []finding {
	status := readStatus()
	findings := []finding{
		{Name: "kernel", Health: fine, Found: fmt.Sprintf("%s, pages of %d bytes", osName(), os.Getpagesize())},
		ringWorks(),
		jit(), optmem(),
	}
	findings = append(findings, capabilities(status["CapEff"])...)
	findings = append(findings, ebpf(), seccomp(status["Seccomp"]), guarded(), userNamespace())
	findings = append(findings, examineMounts(pods.Scanner{Proc: flags.procRoot})...)
	findings = append(findings, memory(), disk(flags.output, flags.output != anyOutput))
	for _, t := range targets {
		findings = append(findings, examineTarget(t, flags.procRoot)...)
	}
	return findings
}

// readStatus reads /proc/self/status, see proc_pid_status(5).
func readStatus() map[string]string {
	fields := make(map[string]string)
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return fields
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}

// ringWorks opens a ring on the loopback interface of this namespace.
func ringWorks() finding {
	f := finding{Name: "TPACKET_V3 ring", Health: fine, Found: "works"}
	ring, err := afpacket.Open(afpacket.Config{Interface: "lo", Ring: afpacket.PodGeometry})
	if err != nil {
		f.Health, f.Found = broken, err.Error()
		f.privilege = errors.Is(err, fs.ErrPermission)
		f.Advice = "no capture works"
		return f
	}
	_ = ring.Close() // it has received nothing
	return f
}

// ebpf traces sockets for a moment.
func ebpf() finding {
	f := finding{Name: "eBPF", Health: fine, Found: "works"}
	trace, err := socktrace.Open(nil)
	if err != nil {
		f.Health, f.Found = limited, err.Error()
		f.Advice = "icap events --ebpf does without: it looks for processes in /proc, and knows no reason of the kernel for a RST"
		return f
	}
	_ = trace.Close() // it was not read
	return f
}

func jit() finding {
	f := finding{Name: "BPF JIT", Health: fine, Found: "on"}
	switch value := readSetting("net/core/bpf_jit_enable"); value {
	case "1", "2":
	case "":
		f.Found = "cannot be read here"
	default:
		f.Health, f.Found, f.Advice = limited, "off", "filters take several times as long: sysctl net.core.bpf_jit_enable=1"
	}
	return f
}

// optmem bounds the filters that the kernel takes.
func optmem() finding {
	const today = 131072 // since Linux 6.8
	f := finding{Name: "longest filter", Health: fine}
	n, err := strconv.Atoi(readSetting("net/core/optmem_max"))
	if err != nil {
		f.Found = "cannot be read here"
		return f
	}
	f.Found = fmt.Sprintf("net.core.optmem_max is %d, some %d instructions", n, n/64)
	if n < today {
		f.Health, f.Advice = limited, "longer filters are run by icap itself, on every packet"
	}
	return f
}

func readSetting(name string) string {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func capabilities(effective string) (findings []finding) {
	caps, err := strconv.ParseUint(effective, 16, 64)
	for _, p := range privileges {
		f := finding{Name: p.capability.String(), Health: fine, Found: "there"}
		switch {
		case err != nil:
			f.Found = "cannot be read here"
		case caps>>p.capability&1 == 0:
			f.Health, f.Found, f.privilege = p.health, "missing", true
			f.Advice = p.without + "; " + p.profile
		}
		findings = append(findings, f)
	}
	return findings
}

func seccomp(mode string) finding {
	f := finding{Name: "seccomp", Health: fine, Found: "off"}
	switch mode {
	case "1":
		f.Found = "strict"
	case "2":
		f.Found = "a filter, which lets through what the checks above have done"
	case "":
		f.Found = "cannot be read here"
	}
	return f
}

// guarded finds out whether captures have a whole sandbox.
func guarded() finding {
	f := finding{Name: "sandbox", Health: fine, Found: "all layers"}
	if missing := sandbox.Missing(); len(missing) > 0 {
		f.Health, f.Found = limited, "without "+strings.Join(missing, ", ")
		f.Advice = "captures work, with a thinner sandbox"
	}
	return f
}

// userNamespace finds out whether root here is root on the node.
func userNamespace() finding {
	f := finding{Name: "user namespace", Health: fine, Found: "the first one"}
	b, err := os.ReadFile("/proc/self/uid_map")
	if fields := strings.Fields(string(b)); err == nil && (len(fields) != 3 || fields[0] != "0" || fields[1] != "0") {
		f.Health, f.Found = limited, "one of its own"
		f.Advice = "capabilities count in this namespace only: other pods' namespaces cannot be entered"
	}
	return f
}

// examineTarget enters a namespace and reads what a capture there would read.
func examineTarget(target, procRoot string) []finding {
	f := finding{Name: "target", Health: fine}
	flags := captureFlags{procRoot: procRoot}
	p, err := flags.find(target)
	if err != nil {
		f.Health, f.Found, f.privilege = broken, err.Error(), errors.Is(err, fs.ErrPermission)
		return []finding{f}
	}
	defer p.ns.Close()
	f.Found = fmt.Sprintf("%s, %s, with %s", p, p.ns.ID(), p.list())
	return []finding{f, ringIn(p), mode(p)}
}

// ringIn opens a ring in the target's namespace.
func ringIn(p *place) (f finding) {
	f = finding{Name: "ring in the target"}
	err := p.ns.Do(func() error { f = ringWorks(); return nil })
	f.Name = "ring in the target"
	if err != nil {
		f.Health, f.Found = broken, err.Error()
		f.privilege = errors.Is(err, fs.ErrPermission)
	}
	return f
}

// mode reads how the proxy gets the target's traffic.
func mode(p *place) finding {
	f := finding{Name: "mode of the target", Health: fine}
	facts, err := readFacts(p)
	if err != nil {
		f.Health, f.Found = limited, err.Error()
		return f
	}
	f.Found = facts.mode
	if len(facts.notes) > 0 {
		f.Health, f.Advice = limited, printable(strings.Join(facts.notes, "; "))
	}
	return f
}
