//go:build !linux

package main

import "os"

// closedAtStart reports whether a standard file cannot be used.
func closedAtStart(f *os.File) bool {
	_, err := f.Stat()
	return err != nil
}
