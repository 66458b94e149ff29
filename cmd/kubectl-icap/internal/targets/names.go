package targets

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"icap/pcapwriter"
)

// Names are those of the cluster's pods, services and nodes, by their addresses:
// POD.NAMESPACE, SERVICE.NAMESPACE.svc, and the node's name. Where not all
// namespaces may be asked, it asks the given ones. The error is about what could
// not be found out; the names that are returned with it are right.
func (c *Cluster) Names(ctx context.Context, namespaces []string) ([]pcapwriter.Name, error) {
	var all []pcapwriter.Name
	nodes, err := c.nodeNames(ctx)
	all = append(all, nodes...)
	for _, list := range []func(context.Context, string) ([]pcapwriter.Name, error){c.podNames, c.serviceNames} {
		names, lerr := list(ctx, metav1.NamespaceAll)
		if apierrors.IsForbidden(lerr) {
			lerr = nil
			for _, ns := range namespaces {
				own, oerr := list(ctx, ns)
				names, lerr = append(names, own...), errors.Join(lerr, oerr)
			}
		}
		all, err = append(all, names...), errors.Join(err, lerr)
	}
	return single(all), err
}

// single leaves out addresses that several have.
func single(names []pcapwriter.Name) []pcapwriter.Name {
	count := make(map[netip.Addr]int)
	for _, n := range names {
		count[n.Addr]++
	}
	return slices.DeleteFunc(names, func(n pcapwriter.Name) bool { return count[n.Addr] > 1 })
}

// appendName adds an address, if the text is one.
func appendName(names []pcapwriter.Name, address, name string) []pcapwriter.Name {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return names // such as None, of services without one
	}
	return append(names, pcapwriter.Name{Addr: a, Names: []string{name}})
}

func (c *Cluster) nodeNames(ctx context.Context) (names []pcapwriter.Name, err error) {
	all, err := c.Core.Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, nil // who may see pods only is content with those
	}
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		for _, a := range all.Items[i].Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				names = appendName(names, a.Address, all.Items[i].Name)
			}
		}
	}
	return names, nil
}

// podNames leaves out pods that share the address of their node.
func (c *Cluster) podNames(ctx context.Context, namespace string) (names []pcapwriter.Name, err error) {
	all, err := c.Core.Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		p := &all.Items[i]
		if p.Spec.HostNetwork || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue // an address of a pod that has ended may be another's
		}
		for _, ip := range p.Status.PodIPs {
			names = appendName(names, ip.IP, p.Name+"."+p.Namespace)
		}
	}
	return names, nil
}

func (c *Cluster) serviceNames(ctx context.Context, namespace string) (names []pcapwriter.Name, err error) {
	all, err := c.Core.Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		s := &all.Items[i]
		for _, ip := range s.Spec.ClusterIPs {
			names = appendName(names, ip, s.Name+"."+s.Namespace+".svc")
		}
	}
	return names, nil
}
