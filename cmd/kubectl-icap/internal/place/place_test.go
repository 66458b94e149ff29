package place

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

func plan() *Plan {
	return &Plan{Session: "0a1b2c3d", Owner: "jane@laptop", Namespace: "icap", Image: "icap:1", PullSecret: "key", PriorityClass: "high", Duration: time.Hour}
}

// deployed is the Job of deploy/job.yaml.
func deployed(t *testing.T) *batchv1.Job {
	t.Helper()
	text, err := os.ReadFile("../../../../deploy/job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ := strings.Cut(string(text), "\n---\n")
	j := new(batchv1.Job)
	if err := yaml.UnmarshalStrict([]byte(doc), j); err != nil {
		t.Fatal(err)
	}
	return j
}

// TestJobAsDeployed holds the rights of a capture pod against those of the
// manifest, which is what people review.
func TestJobAsDeployed(t *testing.T) {
	got, want := plan().job(1, "node-1", 2).Spec.Template.Spec, deployed(t).Spec.Template.Spec
	if g, w := got.Containers[0].SecurityContext, want.Containers[0].SecurityContext; !reflect.DeepEqual(g, w) {
		t.Errorf("security context\n%v\nof deploy/job.yaml\n%v", g, w)
	}
	if got.HostPID != want.HostPID || got.HostNetwork || got.HostIPC || *got.AutomountServiceAccountToken {
		t.Error("other namespaces of the node, or a token")
	}
	if g, w := got.Tolerations, want.Tolerations; !reflect.DeepEqual(g, w) {
		t.Errorf("tolerations %v, want %v", g, w)
	}
}

// TestJob bounds what a capture can leave behind and take.
func TestJob(t *testing.T) {
	p := plan()
	j := p.job(3, "node-1", 2)
	spec := j.Spec.Template.Spec
	switch {
	case j.Name != "icap-0a1b2c3d-3", j.Namespace != "icap":
		t.Errorf("%s/%s", j.Namespace, j.Name)
	case *j.Spec.BackoffLimit != 0, spec.RestartPolicy != corev1.RestartPolicyNever:
		t.Error("it is started again")
	case *j.Spec.ActiveDeadlineSeconds != 3720, *j.Spec.TTLSecondsAfterFinished != 10:
		t.Errorf("deadline %d s, kept for %d s", *j.Spec.ActiveDeadlineSeconds, *j.Spec.TTLSecondsAfterFinished)
	case spec.NodeName != "node-1", spec.PriorityClassName != "high", spec.ImagePullSecrets[0].Name != "key":
		t.Errorf("%+v", spec)
	case strings.Join(spec.Containers[0].Command, " ") != "/icap wait --idle 30s":
		t.Errorf("it runs %q", spec.Containers[0].Command)
	}
	for _, labels := range []map[string]string{j.Labels, j.Spec.Template.Labels} {
		if labels[ManagedByLabel] != "kubectl-icap" || labels[SessionLabel] != p.Session || labels[SeatLabel] != "3" {
			t.Errorf("labels %v", labels)
		}
	}
}

func TestMemory(t *testing.T) {
	for _, tt := range []struct {
		pods int
		ring int64
		set  string
		want string
	}{
		{1, 0, "0", "384Mi"}, {16, 0, "0", "384Mi"}, {100, 0, "0", "1056Mi"}, {20, 64 << 20, "0", "5376Mi"}, {100, 0, "1Gi", "1Gi"},
	} {
		p := &Plan{Ring: tt.ring, Memory: resource.MustParse(tt.set)}
		if got := p.memory(tt.pods); got.Cmp(resource.MustParse(tt.want)) != 0 {
			t.Errorf("%d pods with rings of %d: %s, want %s", tt.pods, tt.ring, got.String(), tt.want)
		}
	}
}

func TestParseOutput(t *testing.T) {
	for text, ok := range map[string]bool{
		"emptyDir": true, "hostPath:/var/tmp/icap": true, "pvc:captures": true,
		"": false, "emptyDir:": false, "hostPath:tmp": false, "hostPath": false, "pvc:": false, "nfs:/x": false,
	} {
		v, err := ParseOutput(text)
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
			continue
		}
		p := &Plan{Output: v}
		if spec := p.podSpec("n", 1); ok && (len(spec.Volumes) != 3 || len(spec.Containers[0].VolumeMounts) != 3) {
			t.Errorf("%q: volumes %v", text, spec.Volumes)
		}
	}
}

func TestUnits(t *testing.T) {
	var pods []*corev1.Pod
	for name, node := range map[string]string{"a": "n2", "b": "n1", "c": "n2"} {
		p := new(corev1.Pod)
		p.Name, p.Namespace, p.Spec.NodeName = name, "shop", node
		pods = append(pods, p)
	}
	if got := byNode(pods); len(got) != 2 || got[0].Name != "n1" || len(got[0].Pods) != 1 || len(got[1].Pods) != 2 {
		t.Errorf("%+v", got)
	}
	if got := byPod(pods[:1]); len(got) != 1 || got[0].Name != pods[0].Name+".shop" || got[0].Node != pods[0].Spec.NodeName {
		t.Errorf("%+v", got)
	}
}

// TestPodTrouble tells pods that will not run from those that may.
func TestPodTrouble(t *testing.T) {
	waits := func(reason string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "icap", Image: "icap:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
		}}}
	}
	for name, tt := range map[string]struct {
		status corev1.PodStatus
		want   string
	}{
		"new":      {corev1.PodStatus{}, ""},
		"creating": {waits("ContainerCreating"), ""},
		"no image": {waits("ErrImagePull"), "container icap: ErrImagePull: image icap:1"},
		"no room":  {corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu", Message: "Node didn't have enough resource"}, "OutOfcpu Node didn't have enough resource"},
		"ended": {corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}},
		}}}, "OOMKilled with exit code 137"},
	} {
		if got := podTrouble(&corev1.Pod{Status: tt.status}); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
