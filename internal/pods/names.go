package pods

import "strings"

// Lengths that Kubernetes allows: a label of RFC 1123 for a namespace, a
// subdomain for a pod.
const (
	maxNamespace = 63
	maxPodName   = 253
)

// validNamespace reports whether s is a label of RFC 1123.
func validNamespace(s string) bool {
	return len(s) <= maxNamespace && isLabel(s)
}

// validPodName reports whether s is a subdomain of RFC 1123: labels with dots
// between them.
func validPodName(s string) bool {
	if len(s) > maxPodName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// isLabel reports whether s consists of lower-case letters, digits and, in
// between, dashes.
func isLabel(s string) bool {
	for i := range len(s) {
		c := s[i]
		inner := i > 0 && i < len(s)-1
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && inner) {
			return false
		}
	}
	return s != ""
}

// validUID reports whether s is a UUID or, as static pods have it, a hash of
// 32 hexadecimal digits.
func validUID(s string) bool {
	const uuidLen, hashLen = 36, 32
	switch len(s) {
	case hashLen:
		return isHex(s)
	case uuidLen:
		return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
			isHex(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])
	}
	return false
}

// isHex reports whether s consists of lower-case hexadecimal digits.
func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == "" && s != ""
}

// A podName is what a pod is called.
type podName struct{ namespace, name string }

// parseLogDir reads the name of a directory in /var/log/pods, which is
// NAMESPACE_NAME_UID. None of the three can have an underscore.
func parseLogDir(dir string) (uid string, n podName, ok bool) {
	parts := strings.Split(dir, "_")
	if len(parts) != 3 {
		return "", podName{}, false
	}
	n, uid = podName{parts[0], parts[1]}, parts[2]
	return uid, n, validNamespace(n.namespace) && validPodName(n.name) && validUID(uid)
}

// parseEnviron reads the variables that Istio gives to its proxy from the
// content of /proc/PID/environ. What is not valid is left out.
func parseEnviron(environ string) claim {
	var c claim
	for v := range strings.SplitSeq(environ, "\x00") {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case name == "POD_NAME" && validPodName(value):
			c.name = value
		case name == "POD_NAMESPACE" && validNamespace(value):
			c.namespace = value
		case name == "ISTIO_META_WORKLOAD_NAME" && validPodName(value):
			c.workload = value
		case name == "ISTIO_META_INTERCEPTION_MODE" && (value == "REDIRECT" || value == "TPROXY" || value == "NONE"):
			c.interception = value
		}
	}
	return c
}
