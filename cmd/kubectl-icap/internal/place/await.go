package place

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
)

// errUnseen means that nothing has come of it yet.
var errUnseen = errors.New("not yet")

// eachPod shows the pods that options select, as they are and whenever they
// change, until done says so or returns an error. After some time it is
// errUnseen, so that the caller can look elsewhere.
func eachPod(ctx context.Context, pods core.PodInterface, o metav1.ListOptions, until time.Duration, done func(*corev1.Pod) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, until, errUnseen)
	defer cancel()
	all, err := pods.List(ctx, o)
	if err != nil {
		return unseen(ctx, err)
	}
	for i := range all.Items {
		if ok, err := done(&all.Items[i]); ok || err != nil {
			return err
		}
	}
	o.ResourceVersion = all.ResourceVersion
	changes, err := pods.Watch(ctx, o)
	if err != nil {
		return unseen(ctx, err)
	}
	defer changes.Stop()
	for {
		select {
		case change, open := <-changes.ResultChan():
			if !open {
				return errUnseen
			}
			p, ok := change.Object.(*corev1.Pod)
			if !ok {
				return errUnseen // such as a version that is too old
			}
			if ok, err := done(p); ok || err != nil {
				return err
			}
		case <-ctx.Done():
			return errUnseen
		}
	}
}

// unseen is errUnseen if the time was over.
func unseen(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errUnseen) {
		return errUnseen
	}
	return err
}
