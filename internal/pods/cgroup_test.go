package pods

import (
	"strings"
	"testing"
)

const (
	uid  = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	hash = "0123456789abcdef0123456789abcdef"
)

var id = strings.Repeat("0123456789abcdef", 4)

// TestParseCgroup has the paths of each runtime and driver, with UID for the
// UID of the pod, U_D for the same with underscores, and ID for the container.
func TestParseCgroup(t *testing.T) {
	inPod := membership{podUID: uid, containerID: id}
	for _, tt := range []struct {
		name, content string
		want          membership
	}{
		{"containerd, v2, systemd", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/cri-containerd-ID.scope", inPod},
		{"containerd, v2, systemd, guaranteed", "0::/kubepods.slice/kubepods-podU_D.slice/cri-containerd-ID.scope", inPod},
		{"containerd, v2, cgroupfs", "0::/kubepods/besteffort/podUID/ID", inPod},
		{"containerd, v1, cgroupfs", "12:pids:/kubepods/burstable/podUID/ID\n1:name=systemd:/kubepods/burstable/podUID/ID\n", inPod},
		{"containerd, v1, guaranteed", "4:cpu,cpuacct:/kubepods/podUID/ID", inPod},
		{"containerd set to cgroupfs, kubelet to systemd", "0::/system.slice/containerd.service/kubepods-burstable-podU_D.slice:cri-containerd:ID", inPod},
		{"CRI-O, v2, systemd", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/crio-ID.scope", inPod},
		{"CRI-O with crun", "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_D.slice/crio-ID.scope/container", inPod},
		{"CRI-O, v1, cgroupfs", "3:memory:/kubepods/burstable/podUID/crio-ID", inPod},
		{"CRI-O's monitor", "0::/kubepods.slice/kubepods-podU_D.slice/crio-conmon-ID.scope", membership{}},
		{"docker, systemd", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/docker-ID.scope", inPod},
		{"docker, cgroupfs", "9:devices:/kubepods/burstable/podUID/ID", inPod},
		{"static pod", "0::/kubepods/burstable/pod" + hash + "/ID", membership{hash, id}},
		{"static pod, systemd", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + hash + ".slice/crio-ID.scope", membership{hash, id}},
		{"node in a container", "0::/docker/" + strings.Repeat("f", 64) + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-podU_D.slice/cri-containerd-ID.scope", inPod},
		{"init of a container in its own cgroup", "0::/kubepods/podUID/ID/init.scope", inPod},
		{"container in a container of a pod", "0::/kubepods/podUID/ID/docker/" + strings.Repeat("f", 64), inPod},
		{"seen from another cgroup namespace", "0::/../../kubepods-burstable-podU_D.slice/cri-containerd-ID.scope", inPod},
		{"monitor of a VM in the pod's cgroup", "0::/kubepods/podUID", membership{podUID: uid}},
		{"hybrid, with the pod in the second line", "0::/\n9:name=systemd:/kubepods/podUID/ID", inPod},
		{"docker without Kubernetes", "0::/system.slice/docker-ID.scope", membership{containerID: id}},
		{"docker without Kubernetes, v1", "9:name=systemd:/docker/ID", membership{containerID: id}},
		{"podman", "0::/machine.slice/libpod-ID.scope/container", membership{containerID: id}},
		{"unit", "0::/system.slice/ssh.service", membership{}},
		{"user's slice that is named like a pod", "0::/user.slice/user-podU_D.slice/x", membership{}},
		{"root", "0::/", membership{}},
		{"UID that is none", "0::/kubepods/podUID-x/ID", membership{containerID: id}},
		{"UID in capitals", "0::/kubepods/pod" + strings.ToUpper(uid) + "/x", membership{}},
		{"ID that is too short", "0::/kubepods/podUID/0123456789ab", membership{podUID: uid}},
		{"nothing", "", membership{}},
		{"no path", "0:", membership{}},
	} {
		content := strings.NewReplacer("UID", uid, "U_D", strings.ReplaceAll(uid, "-", "_"), "ID", id).Replace(tt.content)
		if got := parseCgroup(content); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// FuzzParseCgroup: what is found is well formed and was there.
func FuzzParseCgroup(f *testing.F) {
	f.Add("0::/kubepods.slice/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope")
	f.Add("12:pids:/kubepods/burstable/pod" + uid + "/" + id + "\n1:x:/")
	f.Add("0::/kubepods-pod" + hash + ".slice:cri-containerd:" + id)
	f.Fuzz(func(t *testing.T, content string) {
		m := parseCgroup(content)
		if m.podUID != "" {
			if !validUID(m.podUID) {
				t.Errorf("UID %q is not valid", m.podUID)
			}
			if !strings.Contains(strings.ReplaceAll(content, "_", "-"), "pod"+m.podUID) {
				t.Errorf("UID %q is not in %q", m.podUID, content)
			}
		}
		if m.containerID != "" && (len(m.containerID) != 64 || !isHex(m.containerID) || !strings.Contains(content, m.containerID)) {
			t.Errorf("container %q of %q", m.containerID, content)
		}
	})
}
