package place

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// A Refusal is why there is no seat, in the words of the cluster.
type Refusal struct {
	Where string // a node, or a pod
	Text  string
	Err   error // of the API server, else nil
}

// Error says where, and why.
func (r *Refusal) Error() string { return r.Where + ": " + r.Text }

// Unwrap returns the error of the API server.
func (r *Refusal) Unwrap() error { return r.Err }

// refused wraps an error of the API server.
func refused(where string, err error) error { return &Refusal{where, err.Error(), err} }

// hopeless are the reasons for which a container that waits will not run soon.
var hopeless = []string{
	"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
	"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff",
}

// podTrouble says why a capture pod will not run, empty while it may.
func podTrouble(p *corev1.Pod) string {
	if p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		why := cmp.Or(p.Status.Reason, "ended")
		for i := range p.Status.ContainerStatuses {
			if t := p.Status.ContainerStatuses[i].State.Terminated; t != nil && p.Status.Reason == "" {
				why = fmt.Sprintf("%s with exit code %d", t.Reason, t.ExitCode)
			}
		}
		return fmt.Sprintf("the capture pod %s: %s %s", p.Name, why, p.Status.Message)
	}
	for i := range p.Status.ContainerStatuses {
		if text := waitTrouble(&p.Status.ContainerStatuses[i]); text != "" {
			return text
		}
	}
	return ""
}

// waitTrouble says why a container will not run, empty while it may.
func waitTrouble(c *corev1.ContainerStatus) string {
	switch w, t := c.State.Waiting, c.State.Terminated; {
	case w != nil && slices.Contains(hopeless, w.Reason):
		return fmt.Sprintf("container %s: %s: %s", c.Name, w.Reason, cmp.Or(w.Message, "image "+c.Image))
	case t != nil:
		return fmt.Sprintf("container %s has ended: %s with exit code %d %s", c.Name, t.Reason, t.ExitCode, t.Message)
	}
	return ""
}

// runs reports whether a container runs.
func runs(all []corev1.ContainerStatus, name string) bool {
	return slices.ContainsFunc(all, func(c corev1.ContainerStatus) bool { return c.Name == name && c.State.Running != nil })
}
