package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"icap/internal/lab"
)

// TestMain makes the test binary stand in for icap, and for the programs of
// the lab.
func TestMain(m *testing.M) {
	lab.RunRole()
	testscript.Main(m, map[string]func(){
		"icap":        func() { os.Exit(run()) },
		"icap-escape": escape,
	})
}

// TestScripts runs terminal sessions. Each is also an example.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	})
}
