package place

import (
	"context"
	"errors"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	v1 "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
)

// A Remainder is a Job that kubectl icap has made and that is still there.
type Remainder struct {
	Namespace, Name, Session, Owner string
	Began                           time.Time
	Ended                           bool
}

// Remainders lists the Jobs of a session, or of all if it is empty. An empty
// namespace is every one.
func Remainders(ctx context.Context, batch v1.BatchV1Interface, namespace, session string) ([]Remainder, error) {
	jobs, err := batch.Jobs(namespace).List(ctx, metav1.ListOptions{LabelSelector: ofSession(session)})
	if err != nil {
		return nil, err
	}
	var all []Remainder
	for i := range jobs.Items {
		j := &jobs.Items[i]
		all = append(all, Remainder{
			Namespace: j.Namespace, Name: j.Name, Session: j.Labels[SessionLabel], Owner: j.Annotations[OwnerNote],
			Began: j.CreationTimestamp.Time, Ended: ended(j),
		})
	}
	return all, nil
}

// ofSession selects what a session has made, or any of them.
func ofSession(session string) string {
	set := labels.Set{ManagedByLabel: ManagedBy}
	if session != "" {
		set[SessionLabel] = session
	}
	return set.String()
}

// ended reports whether a Job has.
func ended(j *batchv1.Job) bool {
	for _, c := range j.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == "True" {
			return true
		}
	}
	return false
}

// Remove deletes Jobs with their pods.
func Remove(ctx context.Context, batch v1.BatchV1Interface, jobs []Remainder) (err error) {
	for _, j := range jobs {
		err = errors.Join(err, deleteJob(ctx, batch, &metav1.ObjectMeta{Namespace: j.Namespace, Name: j.Name}))
	}
	return err
}

// AwaitGone waits until no pod of a session is left, or of any if it is empty.
func AwaitGone(ctx context.Context, pods core.PodsGetter, namespace, session string) error {
	ctx, cancel := context.WithTimeout(ctx, gonePatience)
	defer cancel()
	return awaitGone(ctx, pods.Pods(namespace), metav1.ListOptions{LabelSelector: ofSession(session)})
}
