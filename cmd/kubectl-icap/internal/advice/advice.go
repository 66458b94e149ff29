package advice

import "strings"

// A Cause is who refuses.
type Cause string

// The causes that are told apart.
const (
	PodSecurity  Cause = "Pod Security"
	RBAC         Cause = "RBAC"
	AppArmor     Cause = "AppArmor"
	SELinux      Cause = "SELinux"
	Image        Cause = "image"
	Room         Cause = "room"
	Capabilities Cause = "capabilities"
	NonRoot      Cause = "runAsNonRoot"
	Quota        Cause = "quota"
	Admission    Cause = "admission"
	Namespace    Cause = "namespace"
	NoStreams    Cause = "streams"
)

// A rule knows a refusal by words that all occur in its text.
type rule struct {
	cause Cause
	words []string
	say   string
}

// rules are tried in order: those for special cases come first. The words are
// those of Kubernetes 1.33, of containerd and runc, and of icap itself.
var rules = []rule{
	{PodSecurity, []string{"violates PodSecurity", "(ephemeral container)"},
		"the namespace of the pod admits no ephemeral container that can capture (restricted), or the pod itself no more; " +
			"capture from the node: --via job, with a capture namespace that is labelled privileged, as deploy/rbac.yaml makes it"},
	{PodSecurity, []string{"violates PodSecurity"},
		"label the namespace of the captures, as deploy/rbac.yaml does: kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged; " +
			"or name another with --capture-namespace; or capture from within the pods with --via debug, which baseline admits"},
	{RBAC, []string{"is forbidden: User", "cannot", "pods/ephemeralcontainers"},
		"--via debug needs update on pods/ephemeralcontainers in the namespace of the pods: the ClusterRole icap-debug in deploy/rbac.yaml has it"},
	{RBAC, []string{"is forbidden: User", "cannot", "pods/exec"},
		"the capture is streamed by exec: the Role icap-capture in deploy/rbac.yaml has get and create on pods/exec"},
	{RBAC, []string{"is forbidden: User", "cannot"},
		"deploy/rbac.yaml has the least that is needed, and binds it to a group; --as tries another user; kubectl auth can-i --list -n NAMESPACE shows what there is"},
	{Quota, []string{"exceeded quota"},
		"the capture namespace has a ResourceQuota: raise it, or make the capture smaller with -B, or name another with --capture-namespace"},
	{AppArmor, []string{"AppArmor"},
		"AppArmor refuses: captures ask for appArmorProfile Unconfined; where a policy sets another, let the capture namespace be an exception, or allow ptrace (read) and mount of /proc in the profile"},
	{AppArmor, []string{"apparmor"},
		"AppArmor refuses: the node cannot set the profile that is asked for; see aa-status on the node"},
	{SELinux, []string{"SELinux"},
		"SELinux refuses: captures ask for the type spc_t; where a policy sets another, let the capture namespace be an exception; ausearch -m avc on the node shows what was refused"},
	{SELinux, []string{"relabel", "operation not permitted"},
		"SELinux refuses: captures ask for the type spc_t; ausearch -m avc on the node shows what was refused"},
	{SELinux, []string{"lsetxattr"},
		"SELinux refuses to relabel what is mounted: captures ask for the type spc_t; where a policy sets another, let the capture namespace be an exception"},
	{Image, []string{"ErrImageNeverPull"}, loadImage},
	{Image, []string{"ErrImagePull"}, loadImage},
	{Image, []string{"ImagePullBackOff"}, loadImage},
	{Image, []string{"failed to pull"}, loadImage},
	{Image, []string{"InvalidImageName"}, "--image is not the name of an image, such as registry.example.com/icap:v1.0"},
	{NonRoot, []string{"runAsNonRoot"},
		"the pod allows no user 0, and capabilities count for root only: capture from the node with --via job"},
	{Room, []string{"OutOfmemory"}, noRoom}, {Room, []string{"OutOfcpu"}, noRoom}, {Room, []string{"OutOfpods"}, noRoom},
	{Room, []string{"Evicted"}, noRoom},
	{Room, []string{"OOMKilled"}, "the rings do not fit into the limit: raise it with --memory-limit, or make rings smaller with -B"},
	{Admission, []string{"admission webhook", "denied the request"},
		"a policy of the cluster refuses the capture pod: let its namespace (--capture-namespace) be an exception, or use --via daemonset with one that the policy allows, or --via debug"},
	{Admission, []string{"ValidatingAdmissionPolicy", "denied request"},
		"a policy of the cluster refuses the capture pod: let its namespace (--capture-namespace) be an exception"},
	{Admission, []string{"no PriorityClass with name"},
		"--priority-class names none of the cluster; kubectl get priorityclasses lists them"},
	{Namespace, []string{"namespaces", "not found"},
		"make the namespace of the captures with kubectl apply -f deploy/rbac.yaml, or name one that is there with --capture-namespace"},
	{Namespace, []string{"because it is being terminated"},
		"the namespace of the captures is being deleted: try again when it is gone, or name another with --capture-namespace"},
	{Capabilities, []string{"CAP_", "is needed to"},
		"the container has not got what it was made with: a policy has changed its securityContext; kubectl get pod -o yaml shows it. From within a pod (--via debug) only that pod can be captured"},
	{NoStreams, []string{"unable to upgrade connection"},
		"the connection cannot carry streams: a proxy or load balancer in front of the API server has to let WebSocket or SPDY pass, and the API server has to reach port 10250 of the node"},
	{NoStreams, []string{"error dialing backend"},
		"the API server does not reach the kubelet of that node: port 10250"},
}

const (
	loadImage = "the node cannot pull the image: name one that it can with --image (and --image-pull-secret), or load the archive of the release on the node: " +
		"ctr -n k8s.io images import icap-VERSION-image.tar (k3s ctr images import, kind load image-archive, minikube image load, podman load for CRI-O)"
	noRoom = "the node has no room for the capture: make it smaller with -B or --memory-limit, or let it displace others with --priority-class system-node-critical"
)

// For says who refuses, by the text of a refusal, and what to change. Both are
// empty where the text is not known.
func For(text string) (Cause, string) {
	for _, r := range rules {
		if r.matches(text) {
			return r.cause, r.say
		}
	}
	return "", ""
}

func (r *rule) matches(text string) bool {
	for _, word := range r.words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
