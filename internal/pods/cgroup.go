package pods

import "strings"

// containerIDLen is the length of a container ID in hexadecimal digits, in
// every runtime that is known.
const containerIDLen = 64

// A membership is what the cgroup of a process tells.
type membership struct {
	podUID      string // see Pod.UID
	containerID string // see Process.ContainerID
}

// parseCgroup reads /proc/PID/cgroup. From cgroups(7): each line has
// "hierarchy-ID:controller-list:cgroup-path". The first line that names a pod
// counts, else the first that names a container.
func parseCgroup(content string) membership {
	var first membership
	for line := range strings.Lines(content) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		m := parseCgroupPath(fields[2])
		if m.podUID != "" {
			return m
		}
		if first.containerID == "" {
			first = m
		}
	}
	return first
}

// parseCgroupPath finds a pod and a container in one path. The kubelet makes
// a directory for the pod, and the runtime one for the container below it:
//
//	cgroupfs  /kubepods/burstable/podUID/ID
//	systemd   /kubepods.slice/kubepods-burstable.slice/
//	          kubepods-burstable-podUID.slice/cri-containerd-ID.scope
//
// Either can be nested in something else (a node that is a container itself),
// and a container can have cgroups of its own, so the last pod in the path
// and the first container after it count.
//
// CRI-O puts its monitor, which is no part of the pod's containers, into a
// cgroup beside them.
func parseCgroupPath(path string) membership {
	var m membership
	for part := range strings.SplitSeq(path, "/") {
		if strings.Contains(part, "crio-conmon-") {
			return membership{}
		}
		// With the systemd driver in a runtime that is set to cgroupfs, pod
		// and container are one name: "kubepods-podUID.slice:cri-containerd:ID".
		slice, rest, joined := strings.Cut(part, ":")
		if uid := podUID(slice); uid != "" {
			m = membership{podUID: uid}
			if !joined {
				continue
			}
			part = rest
		}
		if m.containerID == "" {
			m.containerID = containerID(part)
		}
	}
	return m
}

// podUID reads "podUID" or, as the name of a systemd slice, where the dashes
// of the UID are underscores, "kubepods-burstable-podUID.slice".
func podUID(part string) string {
	slice, isSlice := strings.CutSuffix(part, ".slice")
	if isSlice {
		i := strings.LastIndexByte(slice, '-')
		if !strings.Contains(slice[:max(i, 0)], "kubepods") {
			return ""
		}
		slice = strings.ReplaceAll(slice[i+1:], "_", "-")
	}
	uid, ok := strings.CutPrefix(slice, "pod")
	if !ok || !validUID(uid) {
		return ""
	}
	return uid
}

// containerID reads "ID", "cri-containerd-ID.scope", "crio-ID",
// "docker-ID.scope", "cri-containerd:ID" and the like.
func containerID(part string) string {
	id := strings.TrimSuffix(part, ".scope")
	id = id[strings.LastIndexAny(id, "-:")+1:]
	if len(id) != containerIDLen || !isHex(id) {
		return ""
	}
	return id
}
