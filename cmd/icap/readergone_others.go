//go:build !linux

package main

import "os"

// onHangUp does nothing: captures take Linux.
func onHangUp(*os.File, func()) (stop func()) { return func() {} }
