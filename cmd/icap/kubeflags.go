package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fromCommands finds flags in the command lines of Kubernetes' programs.
func (n node) fromCommands(flags ...string) (found networks) {
	var by []string
	n.eachCommand(func(pid int, program string, args []string) {
		for _, flag := range flags {
			value, ok := flagValue(args, flag)
			if !ok {
				continue
			}
			before := len(found.nets)
			found.add(value)
			if len(found.nets) > before {
				by = append(by, fmt.Sprintf("%s of %s, pid %d", flag, program, pid))
			}
		}
	})
	found.source = strings.Join(by, "; ")
	return found
}

// eachCommand goes through the command lines of Kubernetes' programs, in the
// order of their processes.
func (n node) eachCommand(see func(pid int, program string, args []string)) {
	entries, err := os.ReadDir(n.proc)
	if err != nil {
		return // what cannot be read has to be given
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		line, err := os.ReadFile(filepath.Join(n.proc, strconv.Itoa(pid), "cmdline"))
		if err != nil || len(line) == 0 {
			continue
		}
		args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		program := filepath.Base(args[0])
		if isKubernetes(program) {
			see(pid, program, args[1:])
		}
	}
}

// isKubernetes reports whether a program takes flags that name networks. A
// program of anybody else might be given any flags.
func isKubernetes(program string) bool {
	switch program {
	case "kube-controller-manager", "kube-apiserver", "kube-proxy", "kubelet", "hyperkube",
		"cloud-controller-manager", "k3s", "k3s-server", "rke2", "k0s", "kubelite":
		return true
	}
	return false
}

// flagValue is the value of a flag: "--flag value" or "--flag=value".
func flagValue(args []string, flag string) (string, bool) {
	for i, arg := range args {
		if arg == flag && i+1 < len(args) {
			return args[i+1], true
		}
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value, true
		}
	}
	return "", false
}

// fromKubeProxy reads clusterCIDR in the file that kube-proxy was started
// with, as its container sees it.
func (n node) fromKubeProxy() (found networks) {
	n.eachCommand(func(pid int, program string, args []string) {
		path, ok := flagValue(args, "--config")
		if !ok || program != "kube-proxy" || len(found.nets) > 0 {
			return
		}
		text, err := os.ReadFile(filepath.Join(n.proc, strconv.Itoa(pid), "root", path))
		if err != nil {
			return
		}
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), "clusterCIDR:"); ok {
				found.add(strings.Trim(strings.TrimSpace(value), `"'`))
			}
		}
		found.source = fmt.Sprintf("clusterCIDR in %s of kube-proxy, pid %d", path, pid)
	})
	return found
}
