package place

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	v1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/ptr"
)

// Patience is how long a capture pod may take until it runs.
const Patience = time.Minute

// Jobs makes a Job for each node. It is a [Placer].
type Jobs struct {
	Plan  *Plan
	Batch v1.BatchV1Interface
	Core  core.CoreV1Interface

	mu    sync.Mutex
	seats int // that were made
}

// Units are the nodes of the pods.
func (j *Jobs) Units(pods []*corev1.Pod) []Unit { return byNode(pods) }

// Place makes a Job and waits until its pod runs.
func (j *Jobs) Place(ctx context.Context, u *Unit) (Seat, error) {
	j.mu.Lock()
	j.seats++
	n := j.seats
	j.mu.Unlock()
	job, err := j.Batch.Jobs(j.Plan.Namespace).Create(ctx, j.Plan.job(n, u.Node, len(u.Pods)), metav1.CreateOptions{})
	if err != nil {
		return Seat{}, refused("node "+u.Node, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("the capture pod does not run after %v", Patience))
	defer cancel()
	pod, err := j.await(ctx, u, job.Name, labels.Set{SessionLabel: j.Plan.Session, SeatLabel: fmt.Sprint(n)}.String())
	if err != nil {
		return Seat{}, err
	}
	return Seat{Namespace: pod.Namespace, Pod: pod.Name, Container: containerName}, nil
}

// await waits for the pod of a Job, and tells early why it will not run.
func (j *Jobs) await(ctx context.Context, u *Unit, job, selector string) (*corev1.Pod, error) {
	where := "node " + u.Node
	const every = time.Second
	for {
		var seen *corev1.Pod
		err := eachPod(ctx, j.Core.Pods(j.Plan.Namespace), metav1.ListOptions{LabelSelector: selector}, every, func(p *corev1.Pod) (bool, error) {
			seen = p
			if text := podTrouble(p); text != "" {
				return false, &Refusal{Where: where, Text: text}
			}
			return runs(p.Status.ContainerStatuses, containerName), nil
		})
		switch {
		case err == nil:
			return seen, nil
		case ctx.Err() != nil:
			return nil, &Refusal{where, context.Cause(ctx).Error(), ctx.Err()}
		case !errors.Is(err, errUnseen):
			return nil, err
		}
		if seen == nil {
			if text := j.complaint(ctx, job); text != "" {
				return nil, &Refusal{Where: where, Text: text}
			}
		}
	}
}

// complaint is what the controller of Jobs says when it may not make the pod.
// Only an event has it.
func (j *Jobs) complaint(ctx context.Context, job string) string {
	events, err := j.Core.Events(j.Plan.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "involvedObject.kind=Job,involvedObject.name=" + job + ",type=Warning",
	})
	if err != nil {
		return "" // who may not see events waits longer for less
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.Reason == "FailedCreate" {
			return e.Message
		}
	}
	return ""
}

// gonePatience is how long the pods of a capture may take to end.
const gonePatience = 15 * time.Second

// Release deletes the Jobs and waits until their pods are gone.
func (j *Jobs) Release(ctx context.Context) error {
	j.mu.Lock()
	made := j.seats > 0
	j.mu.Unlock()
	if !made {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, gonePatience)
	defer cancel()
	all := metav1.ListOptions{LabelSelector: labels.Set{ManagedByLabel: ManagedBy, SessionLabel: j.Plan.Session}.String()}
	jobs, err := j.Batch.Jobs(j.Plan.Namespace).List(ctx, all)
	if err != nil {
		return fmt.Errorf("list the Jobs of session %s: %w", j.Plan.Session, err)
	}
	for i := range jobs.Items {
		err = errors.Join(err, deleteJob(ctx, j.Batch, &jobs.Items[i].ObjectMeta))
	}
	if err != nil {
		return err
	}
	return awaitGone(ctx, j.Core.Pods(j.Plan.Namespace), all)
}

// deleteJob deletes a Job, and with it its pods.
func deleteJob(ctx context.Context, batch v1.BatchV1Interface, m *metav1.ObjectMeta) error {
	return batch.Jobs(m.Namespace).Delete(ctx, m.Name, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
}

// awaitGone waits until there is no pod left.
func awaitGone(ctx context.Context, pods core.PodInterface, o metav1.ListOptions) error {
	const every = 200 * time.Millisecond
	for {
		all, err := pods.List(ctx, o)
		if err != nil {
			return err
		}
		if len(all.Items) == 0 {
			return nil
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return fmt.Errorf("%d capture pods are still ending", len(all.Items))
		}
	}
}
