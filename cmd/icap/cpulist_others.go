//go:build !linux

package main

import (
	"fmt"
	"runtime"
)

// confine needs Linux.
func (l cpuList) confine() error {
	if len(l) == 0 {
		return nil
	}
	return fmt.Errorf("--cpu does not work on %s", runtime.GOOS)
}

func (l cpuList) take(int) error { return l.confine() }
