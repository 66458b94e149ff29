package advice

import (
	"strings"
	"testing"
)

// TestFor takes texts as the API server, the kubelet and icap have said them.
func TestFor(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want Cause
		say  string
	}{
		"baseline": {`Error creating: pods "icap-2a868d09-1-qns64" is forbidden: violates PodSecurity "baseline:latest": forbidden AppArmor profiles (container "icap" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/icap="unconfined""), non-default capabilities (container "icap" must not include "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE" in securityContext.capabilities.add), host namespaces (hostPID=true), hostPath volumes (volume "pods")`,
			PodSecurity, "enforce=privileged"},
		"restricted, from within": {`pod web-0.shop (ephemeral container): pods "web-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "icap-1" must set securityContext.allowPrivilegeEscalation=false)`,
			PodSecurity, "--via job"},
		"RBAC": {`deployments.apps "web" is forbidden: User "nobody" cannot get resource "deployments" in API group "apps" in the namespace "shop"`,
			RBAC, "deploy/rbac.yaml"},
		"RBAC, exec": {`pods "icap-1-x" is forbidden: User "jane" cannot create resource "pods/exec" in API group "" in the namespace "icap"`,
			RBAC, "pods/exec"},
		"RBAC, debug": {`pods "web-0" is forbidden: User "jane" cannot update resource "pods/ephemeralcontainers" in API group "" in the namespace "shop"`,
			RBAC, "icap-debug"},
		"quota": {`Error creating: pods "icap-1" is forbidden: exceeded quota: small, requested: limits.memory=384Mi, used: limits.memory=0, limited: limits.memory=64Mi`,
			Quota, "ResourceQuota"},
		"AppArmor, kubelet": {`the capture pod icap-1: AppArmor Cannot enforce AppArmor: AppArmor is not enabled on the host`, AppArmor, "Unconfined"},
		"AppArmor, icap": {`icap has ended with exit code 4: CAP_SYS_PTRACE is needed to find the network namespaces of other processes, and the AppArmor profile cri-containerd.apparmor.d refuses it though the capability is there`,
			AppArmor, "exception"},
		"AppArmor, runc": {`container icap: RunContainerError: failed to create containerd task: OCI runtime create failed: unable to apply apparmor profile: apparmor failed to apply profile`, AppArmor, "aa-status"},
		"SELinux, icap": {`icap has ended with exit code 4: CAP_SYS_ADMIN is needed to enter another network namespace, and SELinux refuses it to the type container_t though the capability is there`,
			SELinux, "spc_t"},
		"SELinux, runtime": {`container icap: CreateContainerError: failed to set file label: lsetxattr /var/log/pods: operation not permitted`, SELinux, "spc_t"},
		"image": {`container icap: ErrImagePull: failed to pull and unpack image "registry.invalid/icap:none": failed to resolve reference`,
			Image, "ctr -n k8s.io images import"},
		"image, never": {`container icap: ErrImageNeverPull: Container image "icap:dev" is not present with pull policy of Never`, Image, "--image"},
		"capabilities": {`icap has ended with exit code 4: CAP_SYS_ADMIN is needed to enter another network namespace: root has not got it here`, Capabilities, "securityContext"},
		"not root":     {`container icap-1: CreateContainerConfigError: container's runAsUser breaks non-root policy: runAsNonRoot`, NonRoot, "--via job"},
		"room":         {`the capture pod icap-1: OutOfmemory Node didn't have enough resource: memory`, Room, "--priority-class"},
		"too small":    {`the capture pod icap-1: OOMKilled with exit code 137 `, Room, "--memory-limit"},
		"webhook":      {`admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/icap/x was blocked`, Admission, "--capture-namespace"},
		"no class":     {`pods "icap-1" is forbidden: no PriorityClass with name high was found`, Admission, "priorityclasses"},
		"no namespace": {`node node-1: namespaces "nowhere" not found`, Namespace, "deploy/rbac.yaml"},
		"going":        {`jobs.batch "icap-1" is forbidden: unable to create new content in namespace icap because it is being terminated`, Namespace, "try again"},
		"no kubelet":   {`error dialing backend: dial tcp 172.30.0.11:10250: connect: connection refused`, NoStreams, "10250"},
		"unknown":      {`the dog has eaten it`, "", ""},
	} {
		cause, say := For(tt.text)
		if cause != tt.want || !strings.Contains(say, tt.say) {
			t.Errorf("%s: %q: %s, want %q: ...%s...", name, cause, say, tt.want, tt.say)
		}
	}
}

// TestRules sees to it that no rule is out of reach of all texts.
func TestRules(t *testing.T) {
	for _, r := range rules {
		if cause, _ := For(strings.Join(r.words, " ")); cause != r.cause {
			t.Errorf("%q is taken for %s, want %s", r.words, cause, r.cause)
		}
	}
}
