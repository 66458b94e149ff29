//go:build !linux

package main

import "os"

// findOwnStreams finds none: nothing can be captured.
func findOwnStreams(*os.File, string) []ownStream { return nil }
