//go:build linux && !amd64 && !arm64

package sandbox

// auditArch 0 means that there is no list.
const auditArch = 0

func callRules(bool, bool, uint32) []callRule { return nil }
