// Package cri asks a container runtime which pods it runs, over the Container
// Runtime Interface of Kubernetes: containerd, CRI-O, or Docker behind
// cri-dockerd. It is there for what /proc does not tell: the labels of a pod.
//
// The interface is spoken in gRPC, which more than doubles the size of a
// program. So it is only there in programs that are built with the tag cri; in
// others [List] returns [ErrNotBuilt].
//
// # Privileges
//
// The socket of a runtime belongs to root, and whoever may write to it can do
// all that root can. Nothing is asked of it here but a list.
package cri

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// A Sandbox is what the runtime made for a pod, and has not ended.
type Sandbox struct {
	// UID is the pod's, as the cgroups of its processes have it.
	UID string

	Namespace, Name string

	// Labels are those of the pod, without the ones that the kubelet adds. They
	// are its owner's to choose.
	Labels map[string]string
}

// ErrNotBuilt says that the program has no CRI.
var ErrNotBuilt = errors.New("labels need icap built with the tag cri (make static-cri)")

// List returns the pods that run. The socket is a path. The context ends the
// waiting for a runtime that does not answer.
func List(ctx context.Context, socket string) ([]Sandbox, error) {
	all, err := list(ctx, socket)
	if err != nil {
		return nil, fmt.Errorf("ask the container runtime at %s for pods: %w", socket, err)
	}
	return all, nil
}

// Sockets are where runtimes listen unless they are told otherwise: containerd,
// the one of k3s, CRI-O and cri-dockerd.
func Sockets() []string {
	return []string{
		"/run/containerd/containerd.sock",
		"/run/k3s/containerd/containerd.sock",
		"/run/crio/crio.sock",
		"/var/run/cri-dockerd.sock",
	}
}

// Find returns the socket of the endpoint, or, if that is empty, the first of
// [Sockets] that is there. An endpoint is an absolute path, with or without
// unix:// in front, as crictl takes it. Reach tells the path by which a file of
// the node can be reached from here, or that there is none.
//
// Where there is no such socket, the error wraps [io/fs.ErrNotExist].
func Find(endpoint string, reach func(path string) (string, error)) (string, error) {
	if endpoint != "" {
		path := strings.TrimPrefix(endpoint, "unix://")
		if !strings.HasPrefix(path, "/") {
			return "", fmt.Errorf("endpoint %q: not unix:///PATH", endpoint)
		}
		return reach(path)
	}
	for _, path := range Sockets() {
		if at, err := reach(path); err == nil {
			return at, nil
		}
	}
	return "", fmt.Errorf("no socket of a container runtime at %s: %w", strings.Join(Sockets(), ", "), fs.ErrNotExist)
}
