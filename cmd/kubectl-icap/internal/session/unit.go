package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/internal/targets"
	"icap/cmd/kubectl-icap/stream"
)

// A unit is a node that is captured, or a single pod, with its stream.
type unit struct {
	session *Session
	place.Unit

	mu       sync.Mutex
	pods     []*corev1.Pod
	stdin    *io.PipeWriter // of the stream that runs, else nil
	again    bool           // it is to be started anew
	files    int            // that were written on the node
	ended    bool
	captured bool // packets may have come
	err      error
}

func newUnit(s *Session, u place.Unit) *unit {
	return &unit{session: s, Unit: u, pods: u.Pods}
}

func (n *unit) over() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended
}

// Streams that break are taken up again, at growing distances. One that has
// lasted for long is as good as new.
const (
	attempts  = 6
	firstWait = 500 * time.Millisecond
	longLife  = time.Minute
)

// run captures until it is to end or has failed for good.
func (n *unit) run(orderly, hard context.Context) {
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ended = true
	}()
	var seat *place.Seat
	wait := firstWait
	for try := 1; ; try++ {
		begun := time.Now()
		err := n.once(orderly, hard, &seat)
		if orderly.Err() != nil || n.isOver(err) {
			return
		}
		if n.restarts() {
			try = 0
			continue
		}
		if time.Since(begun) > longLife {
			try, wait = 1, firstWait
		}
		if hopeless(err) || try == attempts {
			n.err = fmt.Errorf("%s: %w", n.Name, err)
			n.session.tellGivenUp(n)
			return
		}
		n.session.say("%s: %v; again in %v", n.Name, err, wait)
		select {
		case <-time.After(wait):
		case <-orderly.Done():
			return
		}
		wait *= 2
		if !n.refresh(orderly) {
			n.session.say("%s: no pod of the targets is left there", n.Name)
			return
		}
	}
}

// isOver reports whether a stream has ended in order, so that nothing is left to do.
// That its pods are gone is no fault where others may follow.
func (n *unit) isOver(err error) bool {
	if err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		return !n.again
	}
	var exit *stream.ExitError
	if !errors.As(err, &exit) || exit.Code != exitFault || n.session.Follow {
		return false
	}
	n.err = fmt.Errorf("%s: %w", n.Name, err)
	return true
}

// restarts reports whether the unit was told to begin anew.
func (n *unit) restarts() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.again
	n.again = false
	return was
}

// Exit codes of icap.
const (
	exitUsage     = 2
	exitFault     = 3
	exitPrivilege = 4
)

// hopeless reports whether trying again is in vain.
func hopeless(err error) bool {
	var refusal *place.Refusal
	if errors.As(err, &refusal) {
		return refusal.Err == nil || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)
	}
	var exit *stream.ExitError
	return errors.As(err, &exit) && (exit.Code == exitUsage || exit.Code == exitPrivilege) || apierrors.IsForbidden(err)
}

// add lets a pod join.
func (n *unit) add(p *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.ContainsFunc(n.pods, func(q *corev1.Pod) bool { return q.UID == p.UID }) {
		return
	}
	if !n.session.Joins && p.Status.Phase != corev1.PodRunning {
		return // it is seen again when it runs
	}
	n.pods = append(n.pods, p)
	switch {
	case n.stdin == nil: // it will be among those that the stream begins with
	case n.session.Joins:
		n.session.say("%s: %s/%s comes", n.Name, p.Namespace, p.Name)
		go func(in io.Writer) { _, _ = fmt.Fprintf(in, "uid:%s\n", p.UID) }(n.stdin) // a broken stream is noticed elsewhere
	default:
		n.session.say("%s: %s/%s comes: the stream begins anew", n.Name, p.Namespace, p.Name)
		n.again = true
		_ = n.stdin.Close() // never fails
	}
}

// refresh leaves out the pods that are gone. Of those that cannot be asked about
// it thinks well.
func (n *unit) refresh(ctx context.Context) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pods = slices.DeleteFunc(n.pods, func(p *corev1.Pod) bool {
		now, err := n.session.Cluster.Core.Pods(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && (now.UID != p.UID || targets.Unfit(now) != "")
	})
	return len(n.pods) > 0
}
