// Command loop captures with one of the bare loops over icap's ring.
//
//	loop NAME INTERFACE FILE
package main

import (
	"fmt"
	"os"

	"icap/bench/internal/baseline"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: loop NAME INTERFACE FILE")
		os.Exit(2)
	}
	if err := baseline.Run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "loop:", err)
		os.Exit(1)
	}
}
