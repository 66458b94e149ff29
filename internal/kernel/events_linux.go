package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// linkEvents joins the group of rtnetlink(7) that is told of interfaces.
func linkEvents() (*os.File, error) {
	return events("rtnetlink", unix.NETLINK_ROUTE, unix.RTMGRP_LINK)
}

// ruleEvents joins NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h.
func ruleEvents() (*os.File, error) {
	return events("nfnetlink", unix.NETLINK_NETFILTER, 1<<(unix.NFNLGRP_NFTABLES-1))
}

// events opens a socket of netlink(7) that is told of what groups are told of.
func events(name string, family int, groups uint32) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, family)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		f.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	return f, nil
}
