package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A Left is a pod that a query selects and that cannot be captured.
type Left struct {
	Pod *corev1.Pod
	Why string
}

// Find returns the pods of queries that run or are about to, each once, in the
// order of their names, and those that are left out. It is an error if a query
// selects no pod at all, or names one that is left out.
func (c *Cluster) Find(ctx context.Context, queries []Query) (pods []*corev1.Pod, left []Left, err error) {
	seen := make(map[types.UID]bool)
	for i := range queries {
		q := &queries[i]
		all, err := c.list(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		if len(all) == 0 {
			return nil, nil, none(q)
		}
		for j := range all {
			p := &all[j]
			if seen[p.UID] {
				continue
			}
			seen[p.UID] = true
			why := q.unfit(p)
			switch {
			case why == "":
				pods = append(pods, p)
			case q.Name != "":
				return nil, nil, fmt.Errorf("pod %s/%s %s", p.Namespace, p.Name, why)
			default:
				left = append(left, Left{p, why})
			}
		}
	}
	if len(pods) == 0 {
		return nil, left, errors.New("no pod of the targets runs")
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return pods, left, nil
}

// none says that a query selects nothing, and how to see what there is.
func none(q *Query) error {
	where := "in namespace " + q.Namespace
	list := "kubectl get pods -n " + q.Namespace
	if q.Namespace == "" {
		where, list = "in any namespace", "kubectl get pods -A"
	}
	if q.Name != "" {
		return fmt.Errorf("no pod %q %s; %s lists them", q.Name, where, list)
	}
	return fmt.Errorf("%s: no pod %s has the labels %q; %s --show-labels lists them", q.From, where, q.Labels, list)
}

// Unfit says why a pod cannot be captured now, empty if it can.
func Unfit(p *corev1.Pod) string {
	switch {
	case p.Status.Phase == corev1.PodSucceeded, p.Status.Phase == corev1.PodFailed:
		return "has ended: " + string(p.Status.Phase)
	case p.DeletionTimestamp != nil:
		return "is being deleted"
	case p.Spec.NodeName == "":
		return "is not on a node yet: Pending"
	}
	return ""
}

// ByNode groups pods by the names of their nodes.
func ByNode(pods []*corev1.Pod) map[string][]*corev1.Pod {
	nodes := make(map[string][]*corev1.Pod)
	for _, p := range pods {
		nodes[p.Spec.NodeName] = append(nodes[p.Spec.NodeName], p)
	}
	return nodes
}
