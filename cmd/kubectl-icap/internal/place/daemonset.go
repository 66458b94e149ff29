package place

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
)

// DaemonSet uses the pods that stand there already, as deploy/daemonset.yaml
// makes them. It is a [Placer].
type DaemonSet struct {
	Namespace string
	Selector  string // of its pods
	Core      core.CoreV1Interface
}

// Units are the nodes of the pods.
func (d *DaemonSet) Units(pods []*corev1.Pod) []Unit { return byNode(pods) }

// Place finds the pod of a node.
func (d *DaemonSet) Place(ctx context.Context, u *Unit) (Seat, error) {
	where := "node " + u.Node
	all, err := d.Core.Pods(d.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: d.Selector, FieldSelector: fields.OneTermEqualSelector("spec.nodeName", u.Node).String(),
	})
	if err != nil {
		return Seat{}, refused(where, err)
	}
	for i := range all.Items {
		p := &all.Items[i]
		if p.Spec.NodeName != u.Node || p.DeletionTimestamp != nil || len(p.Spec.Containers) == 0 {
			continue
		}
		name := p.Spec.Containers[0].Name
		if text := podTrouble(p); text != "" {
			return Seat{}, &Refusal{Where: where, Text: text}
		}
		if runs(p.Status.ContainerStatuses, name) {
			return Seat{Namespace: p.Namespace, Pod: p.Name, Container: name}, nil
		}
	}
	return Seat{}, &Refusal{Where: where, Text: fmt.Sprintf("no pod with the labels %s runs there in namespace %s; "+
		"kubectl apply -f deploy/daemonset.yaml makes them, or --via job does without", d.Selector, d.Namespace)}
}

// Release leaves them where they are.
func (d *DaemonSet) Release(context.Context) error { return nil }
