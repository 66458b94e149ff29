//go:build !linux

package main

import "runtime"

// examine has nothing to look at: captures take Linux.
func examine([]string, *doctorFlags) []finding {
	return []finding{{Name: "system", Health: broken, Found: runtime.GOOS + ": icap captures on Linux; icap read, stitch, flows -r and events -r work here"}}
}
