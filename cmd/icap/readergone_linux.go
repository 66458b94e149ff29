package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// onHangUp calls a function once when nobody can read any more what is written
// to a pipe, socket or terminal, which otherwise shows with the next packet only.
// Nothing is done for other files. Stop ends the watch.
func onHangUp(f *os.File, call func()) (stop func()) {
	nothing := func() {}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nothing
	}
	// Without any event asked for, EPOLLERR and EPOLLHUP are told: epoll_ctl(2).
	err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, int(f.Fd()), &unix.EpollEvent{})
	if err == nil {
		err = unix.SetNonblock(epoll, true)
	}
	if err != nil {
		_ = unix.Close(epoll) // it watches nothing
		return nothing
	}
	// The runtime's poller waits for this one to have something to tell.
	watch := os.NewFile(uintptr(epoll), "epoll")
	conn, err := watch.SyscallConn()
	if err != nil {
		_ = watch.Close() // it watches nothing
		return nothing
	}
	go func() {
		waited := false
		err := conn.Read(func(uintptr) (done bool) {
			done, waited = waited, true
			return done
		})
		if err == nil {
			call()
		}
	}()
	return func() { _ = watch.Close() } // the wait ends with an error
}
