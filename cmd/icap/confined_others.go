//go:build !linux

package main

import "icap/internal/sandbox"

func confined(sandbox.Capability) string { return "" }
