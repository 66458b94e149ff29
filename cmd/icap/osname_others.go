//go:build !linux

package main

import "runtime"

// osName is the operating system's name, for the file's header.
func osName() string { return runtime.GOOS }
