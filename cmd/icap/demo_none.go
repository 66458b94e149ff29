//go:build nodemo

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// playRole has no roles to play.
func playRole() {}

// newDemo says where the demonstration is. The binaries for nodes leave it out:
// its stand-ins for Envoy are a third of the program, and nothing that a node
// needs.
func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Capture the traffic of a pod made for the purpose (not in this binary)",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("this binary is built for nodes, without the demonstration: make demo builds one with it, and runs it")
		},
	}
}
