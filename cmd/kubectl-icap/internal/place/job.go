package place

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const (
	// spare is how long a capture pod may live beside its capture.
	spare = 2 * time.Minute

	// keepEnded is how long the cluster keeps a Job that has ended.
	keepEnded = 10 * time.Second
)

// labels are those of what is made for a seat.
func (p *Plan) labels(seat int) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": "icap", ManagedByLabel: ManagedBy,
		SessionLabel: p.Session, SeatLabel: fmt.Sprint(seat),
	}
}

// job is the Job for a node with so many pods to capture in. It ends when it is
// idle, at its deadline at the latest, and goes soon afterwards.
func (p *Plan) job(seat int, node string, pods int) *batchv1.Job {
	notes := map[string]string{OwnerNote: p.Owner}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("icap-%s-%d", p.Session, seat), Namespace: p.Namespace,
			Labels: p.labels(seat), Annotations: notes,
		},
		Spec: batchv1.JobSpec{
			BackoffLimit:            ptr.To[int32](0),
			ActiveDeadlineSeconds:   ptr.To(int64((p.Duration + spare).Seconds())),
			TTLSecondsAfterFinished: ptr.To(int32(keepEnded.Seconds())),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: p.labels(seat), Annotations: notes},
				Spec:       p.podSpec(node, pods),
			},
		},
	}
}
