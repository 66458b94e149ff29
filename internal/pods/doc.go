// Package pods finds the pods of a node, and the processes in them, by reading
// /proc: no container runtime and no Kubernetes API is asked.
//
// A process tells three things. Its network namespace is the inode of
// /proc/PID/ns/net; all containers of a pod share one. Its cgroup has the UID
// of the pod and the ID of the container in the path. And the UID leads to the
// names, through the directories that the kubelet keeps for logs. The role in
// Istio is on the command lines of Istio's programs.
//
// # Privileges
//
// Cgroups can be read by everybody. To see or enter the namespace of another
// user's process takes CAP_SYS_PTRACE. The processes are those of the PID
// namespace that the proc file system was mounted for, so a container needs
// hostPID, or the node's /proc mounted somewhere. Directories of the node are
// looked for in the root of its process 1, and then beside its /proc.
//
// # Trust
//
// A pod may run anything, so whatever it can choose is taken for a claim:
// names are used only if they are valid in Kubernetes, and commands are cut
// and cleaned of control characters. What the kubelet wrote comes before
// what a process says of itself.
package pods
