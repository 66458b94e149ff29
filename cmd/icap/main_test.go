package main

import (
	"os"
	"os/exec"
	"strconv"
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
	dir := program(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// icap, run without privileges, ends with a code: nobody CODE ARG...
			"nobody": func(ts *testscript.TestScript, _ bool, args []string) {
				cmd := exec.Command(dir+"/icap", args[1:]...)
				cmd.Dir, cmd.Stdout, cmd.Stderr = "/", ts.Stdout(), ts.Stderr()
				asNobody(cmd)
				_ = cmd.Run() // the code tells
				if code := strconv.Itoa(cmd.ProcessState.ExitCode()); code != args[0] {
					ts.Fatalf("icap %q ends with %s, not with %s", args[1:], code, args[0])
				}
			},
		},
	})
}

// program puts icap into a folder where everybody can run it.
func program(t *testing.T) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "icap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path, err := exec.LookPath("icap") // testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/icap", program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
