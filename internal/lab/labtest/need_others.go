//go:build !linux

package labtest

import "runtime"

// missing says what a lab needs and this machine has not.
func missing() []string { return []string{"Linux, not " + runtime.GOOS} }
