package main

import (
	"os"
	"os/exec"
	"syscall"
)

// asNobody takes all privileges from a program.
func asNobody(cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}
