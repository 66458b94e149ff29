package place

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/ptr"
)

// Debug adds an ephemeral container to each pod, with no more rights than Pod
// Security's baseline admits: a container has CAP_NET_RAW by default. It is a
// [Placer].
type Debug struct {
	Plan *Plan
	Core core.CoreV1Interface
	// NetAdmin adds CAP_NET_ADMIN, which shows the redirect rules and conntrack.
	// Baseline does not admit it.
	NetAdmin bool

	mu    sync.Mutex
	seats int
}

// Units are the pods, each for itself.
func (d *Debug) Units(pods []*corev1.Pod) []Unit { return byPod(pods) }

// container is the ephemeral one. It shares the processes of the proxy, if the
// pod has one, because sockets tell what is whose.
func (d *Debug) container(name string, p *corev1.Pod) corev1.EphemeralContainer {
	c := corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
		Name: name, Image: d.Plan.Image, ImagePullPolicy: corev1.PullIfNotPresent, Command: waiting(),
		SecurityContext: &corev1.SecurityContext{RunAsUser: ptr.To[int64](0), RunAsNonRoot: ptr.To(false)},
	}}
	if d.NetAdmin {
		c.SecurityContext.Capabilities = &corev1.Capabilities{Add: []corev1.Capability{"NET_ADMIN", "NET_RAW"}}
	}
	for i := range p.Spec.Containers {
		if p.Spec.Containers[i].Name == "istio-proxy" {
			c.TargetContainerName = "istio-proxy"
		}
	}
	return c
}

// Place adds a container and waits until it runs.
func (d *Debug) Place(ctx context.Context, u *Unit) (Seat, error) {
	d.mu.Lock()
	d.seats++
	name := fmt.Sprintf("icap-%s-%d", d.Plan.Session, d.seats)
	d.mu.Unlock()
	where := "pod " + u.Name
	pods := d.Core.Pods(u.Pods[0].Namespace)
	p, err := pods.Get(ctx, u.Pods[0].Name, metav1.GetOptions{})
	if err != nil {
		return Seat{}, refused(where, err)
	}
	p.Spec.EphemeralContainers = append(p.Spec.EphemeralContainers, d.container(name, p))
	if _, err := pods.UpdateEphemeralContainers(ctx, p.Name, p, metav1.UpdateOptions{}); err != nil {
		return Seat{}, refused(where+" (ephemeral container)", err)
	}
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, p.Name).String()}
	err = eachPod(ctx, pods, only, Patience, func(now *corev1.Pod) (bool, error) {
		for i := range now.Status.EphemeralContainerStatuses {
			s := &now.Status.EphemeralContainerStatuses[i]
			if text := waitTrouble(s); s.Name == name && text != "" {
				return false, &Refusal{Where: where, Text: text}
			}
		}
		return runs(now.Status.EphemeralContainerStatuses, name), nil
	})
	if errors.Is(err, errUnseen) {
		err = &Refusal{Where: where, Text: fmt.Sprintf("the ephemeral container does not run after %v", Patience)}
	}
	return Seat{Namespace: p.Namespace, Pod: p.Name, Container: name, Inside: true}, err
}

// Release has nothing to delete: ephemeral containers end by themselves, and are
// listed in their pods for as long as these live.
func (d *Debug) Release(context.Context) error { return nil }
