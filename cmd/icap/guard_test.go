package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// escape is the test binary in the part of an icap that somebody has taken over
// after it has begun to capture into a directory.
func escape() {
	const afPacket = 17 // of linux/socket.h
	f := captureFlags{output: filepath.Join(os.Args[1], "out.pcapng"), rings: ringFlags{fanout: 1}}
	f.rotation.size.bytes = 1
	s := &session{flags: &f, errs: &console{out: os.Stderr}}
	if err := s.guard(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fd, err := syscall.Socket(afPacket, syscall.SOCK_RAW, 0)
	fmt.Printf("packet socket: %d %v\n", fd, err)
	f1, err := os.Create(filepath.Join(os.Args[1], "new"))
	fmt.Printf("write: %v %v\n", f1 != nil, err)
	f2, err := os.Create(os.Args[2])
	fmt.Printf("write elsewhere: %v %v\n", f2 != nil, errors.Is(err, syscall.EACCES))
	err = syscall.Exec("/bin/true", []string{"true"}, nil)
	fmt.Printf("execute: %v\n", errors.Is(err, syscall.EPERM))
	os.Exit(0)
}
