package place

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Labels and annotations of everything that is made in a cluster.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "kubectl-icap"
	SessionLabel   = "kubectl-icap/session"
	SeatLabel      = "kubectl-icap/seat"
	OwnerNote      = "kubectl-icap/owner" // who has started it, and where
)

// Idle is how long a seat waits without a capture before it ends. It is also how
// long a stream that breaks can be taken up again in the same seat.
const Idle = 30 * time.Second

// A Plan says what the pods of a capture are like.
type Plan struct {
	Session   string // names the capture, as a part of a DNS label
	Owner     string
	Namespace string // of the capture pods

	Image         string
	PullSecret    string // empty for none
	PriorityClass string // empty for the default
	// Tolerations are those of the capture pods; nil tolerates all.
	Tolerations []corev1.Toleration

	// Duration is the longest that a capture takes. The pods end a little later
	// in any case.
	Duration time.Duration
	// Ring is the memory for the rings of one interface, in bytes; 0 for icap's
	// own choice.
	Ring int64
	// Memory is the limit of a capture pod; zero goes by the rings.
	Memory resource.Quantity
	// Output is a volume for files on the node, at OutputDir; nil for none.
	Output *corev1.VolumeSource
}

// A Unit is what one seat is for: the pods of a node, or a single pod.
type Unit struct {
	Name string // of the node or, if the seat is in a pod, POD.NAMESPACE
	Node string
	Pods []*corev1.Pod
}

// A Seat is a container in which icap can be run by exec.
type Seat struct {
	Namespace, Pod, Container string
	// Inside says that the container is in the pod that is captured.
	Inside bool
}

// A Placer finds or makes seats.
type Placer interface {
	// Units groups pods by the seats that they need.
	Units(pods []*corev1.Pod) []Unit
	// Place returns a seat, once icap can be run in it. It can be called at any
	// time, also again for the same unit when its seat has ended.
	Place(ctx context.Context, u *Unit) (Seat, error)
	// Release takes away all that was made.
	Release(ctx context.Context) error
}
