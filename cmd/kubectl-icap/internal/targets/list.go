package targets

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ParseKind reads a kind by any of its names.
func ParseKind(text string) (Kind, bool) {
	k, ok := kinds[strings.ToLower(text)]
	return k, ok
}

// List are the names of the objects of a kind, for completions: what may not be
// seen is left out.
func (c *Cluster) List(ctx context.Context, namespace string, kind Kind) (names []string) {
	var (
		all runtime.Object
		err error
		any metav1.ListOptions
	)
	switch kind {
	case Pod:
		all, err = c.Core.Pods(namespace).List(ctx, any)
	case Service:
		all, err = c.Core.Services(namespace).List(ctx, any)
	case Deployment:
		all, err = c.Apps.Deployments(namespace).List(ctx, any)
	case StatefulSet:
		all, err = c.Apps.StatefulSets(namespace).List(ctx, any)
	case DaemonSet:
		all, err = c.Apps.DaemonSets(namespace).List(ctx, any)
	case ReplicaSet:
		all, err = c.Apps.ReplicaSets(namespace).List(ctx, any)
	case Job:
		all, err = c.Batch.Jobs(namespace).List(ctx, any)
	case Gateway:
		return c.gateways(ctx, namespace)
	}
	if err != nil {
		return nil
	}
	_ = meta.EachListItem(all, func(o runtime.Object) error { // a list of objects has names
		if m, err := meta.Accessor(o); err == nil {
			names = append(names, m.GetName())
		}
		return nil
	})
	return names
}

// gateways are the names that the labels of pods tell.
func (c *Cluster) gateways(ctx context.Context, namespace string) (names []string) {
	all, err := c.Core.Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	for i := range all.Items {
		for _, label := range gatewayLabels[:3] { // app is everybody's
			if name := all.Items[i].Labels[label]; name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
