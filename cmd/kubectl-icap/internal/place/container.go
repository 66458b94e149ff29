package place

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

const (
	containerName = "icap"

	// ringsPerPod is the most rings that a pod usually has: on eth0, and on lo
	// for each kind of mark.
	ringsPerPod = 4
	usualRing   = 2 << 20 // icap's own choice in pods, in bytes
	batches     = 256 << 20
	leastPods   = 16 // for which there is room, as more can join
)

// waiting is what runs in a seat until a capture is started there.
func waiting() []string { return []string{"/icap", "wait", "--idle", Idle.String()} }

// nodeSecurity is the security context of a container that captures in the pods
// of its node, the same as in deploy/job.yaml: not privileged, no more rights
// than icap's table of privileges has, and free of the profiles that refuse
// what those allow.
func nodeSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		RunAsUser:                ptr.To[int64](0),
		ReadOnlyRootFilesystem:   ptr.To(true),
		AllowPrivilegeEscalation: ptr.To(false),
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		AppArmorProfile:          &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined},
		SELinuxOptions:           &corev1.SELinuxOptions{Type: "spc_t"},
		Capabilities: &corev1.Capabilities{
			Drop: []corev1.Capability{"ALL"},
			Add:  []corev1.Capability{"NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN", "DAC_READ_SEARCH"},
		},
	}
}

// memory is the limit for a number of pods: what their rings take, and what icap
// needs beside them.
func (p *Plan) memory(pods int) resource.Quantity {
	if !p.Memory.IsZero() {
		return p.Memory
	}
	ring := max(p.Ring, usualRing)
	return *resource.NewQuantity(batches+int64(max(pods, leastPods))*ringsPerPod*ring, resource.BinarySI)
}

// podSpec is that of a capture pod on a node with so many pods to capture in.
func (p *Plan) podSpec(node string, pods int) corev1.PodSpec {
	spec := corev1.PodSpec{
		NodeName:                      node,
		HostPID:                       true,
		RestartPolicy:                 corev1.RestartPolicyNever,
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To[int64](5),
		PriorityClassName:             p.PriorityClass,
		Tolerations:                   p.Tolerations,
		Containers: []corev1.Container{{
			Name:            containerName,
			Image:           p.Image,
			ImagePullPolicy: corev1.PullIfNotPresent,
			Command:         waiting(),
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: p.memory(pods)},
			},
			SecurityContext: nodeSecurity(),
			VolumeMounts: []corev1.VolumeMount{
				{Name: "tmp", MountPath: "/tmp"},
				{Name: "pods", MountPath: "/var/log/pods", ReadOnly: true},
			},
		}},
		Volumes: []corev1.Volume{
			{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: "pods", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/log/pods"}}},
		},
	}
	if p.Tolerations == nil {
		spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	}
	if p.PullSecret != "" {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: p.PullSecret}}
	}
	if p.Output != nil {
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: "out", VolumeSource: *p.Output})
		c := &spec.Containers[0]
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "out", MountPath: OutputDir})
	}
	return spec
}
