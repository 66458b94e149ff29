package targets

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	apps "k8s.io/client-go/kubernetes/typed/apps/v1"
	batch "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
)

// A Query selects pods.
type Query struct {
	Namespace string // empty for all of them
	Labels    string // a label selector, empty for any labels
	Name      string // of one pod, empty for any
	From      string // what it stands for, for messages
	// Host selects also pods that have the network of their node.
	Host bool
}

// unfit says why the query does not want a pod, empty if it does.
func (q *Query) unfit(p *corev1.Pod) string {
	if p.Spec.HostNetwork && !q.Host && q.Name == "" {
		return "has the network of the node; by its own name it is captured with all of that"
	}
	return Unfit(p)
}

// options are how the API server is asked.
func (q *Query) options() metav1.ListOptions {
	o := metav1.ListOptions{LabelSelector: q.Labels}
	if q.Name != "" {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, q.Name).String()
	}
	return o
}

// Selected is the query for the pods of a namespace that have certain labels,
// all if there is no selector. An empty namespace is every one.
func Selected(namespace, selector string) (Query, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return Query{}, fmt.Errorf("selector %q: %w", selector, err)
	}
	q := Query{Namespace: namespace, Labels: parsed.String(), From: "-l " + selector}
	if selector == "" {
		q.From = "all pods of " + namespace
		if namespace == "" {
			q.From = "all pods"
		}
	}
	return q, nil
}

// Cluster is whom to ask about pods and what they belong to.
type Cluster struct {
	Core  core.CoreV1Interface
	Apps  apps.AppsV1Interface
	Batch batch.BatchV1Interface
}

// Query is what a target stands for. The object that it names must be there;
// of a pod only its name is taken, so that its successor is found as well.
func (c *Cluster) Query(ctx context.Context, t Target) (Query, error) {
	q := Query{Namespace: t.Namespace, From: t.String()}
	switch t.Kind {
	case Pod:
		q.Name = t.Name
		return q, nil
	case Gateway:
		return c.gateway(ctx, t)
	}
	selector, err := c.selector(ctx, t)
	if err != nil {
		return Query{}, err
	}
	if selector.Empty() {
		return Query{}, fmt.Errorf("%s has no selector, so nothing says which pods are its", t)
	}
	q.Labels = selector.String()
	return q, nil
}

// selector is that of the object that a target names.
func (c *Cluster) selector(ctx context.Context, t Target) (labels.Selector, error) {
	var of *metav1.LabelSelector
	switch t.Kind {
	case Service:
		s, err := c.Core.Services(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return labels.SelectorFromSet(s.Spec.Selector), nil
	case Deployment:
		d, err := c.Apps.Deployments(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		of = d.Spec.Selector
	case StatefulSet:
		s, err := c.Apps.StatefulSets(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		of = s.Spec.Selector
	case DaemonSet:
		d, err := c.Apps.DaemonSets(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		of = d.Spec.Selector
	case ReplicaSet:
		r, err := c.Apps.ReplicaSets(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		of = r.Spec.Selector
	case Job:
		j, err := c.Batch.Jobs(t.Namespace).Get(ctx, t.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		of = j.Spec.Selector
	}
	return metav1.LabelSelectorAsSelector(of)
}

// gatewayLabels tell the pods of a gateway: those that the Gateway API's
// deployments of Istio have, those that an Istio Gateway selects by, and those
// of Istio's charts.
var gatewayLabels = []string{"gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name", "istio", "app"}

// gateway is the query by the first of the labels that any pod has.
func (c *Cluster) gateway(ctx context.Context, t Target) (Query, error) {
	for _, label := range gatewayLabels {
		q := Query{Namespace: t.Namespace, Labels: labels.Set{label: t.Name}.String(), From: t.String(), Host: true}
		pods, err := c.list(ctx, &q)
		if err != nil {
			return Query{}, err
		}
		if len(pods) > 0 {
			return q, nil
		}
	}
	return Query{}, fmt.Errorf("%s: no pod of namespace %s has one of the labels %s=%s, istio=%s or app=%s",
		t, t.Namespace, gatewayLabels[0], t.Name, t.Name, t.Name)
}

// list are the pods of a query.
func (c *Cluster) list(ctx context.Context, q *Query) ([]corev1.Pod, error) {
	all, err := c.Core.Pods(q.Namespace).List(ctx, q.options())
	if err != nil {
		return nil, err
	}
	return all.Items, nil
}
