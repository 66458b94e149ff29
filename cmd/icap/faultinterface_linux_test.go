package main

import (
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// interfaceFaults are what happens to interfaces and namespaces.
var interfaceFaults = []faultRow{
	{"F04", "interface down for a second, and up again", true, func(s *scene) {
		s.begin()
		s.packets(100, 200)
		s.settle()
		labtest.WithLink(s.T, s.b, "vb", netlink.LinkSetDown)
		time.Sleep(time.Second)
		labtest.WithLink(s.T, s.b, "vb", netlink.LinkSetUp)
		s.carrier()
		s.packets(100, 200)
		s.settle()
		s.wants = wants{all: true, said: "is down"}
		s.finish(syscall.SIGTERM)
	}},
	{"F05", "interface deleted", false, func(s *scene) {
		s.begin()
		s.packets(10, 200)
		s.settle()
		labtest.WithLink(s.T, s.a, "va", netlink.LinkDel)
		s.wants = wants{code: exitFault, said: "interface is gone", all: true}
		s.finish(0)
	}},
	{"F05b", "interface deleted right after a burst of 1000", false, func(s *scene) {
		s.begin()
		s.packets(1000, 200)
		labtest.WithLink(s.T, s.a, "va", netlink.LinkDel)
		s.wants = wants{code: exitFault, said: "interface is gone", all: true}
		s.finish(0)
	}},
	{"F06", "`-i any`: one of the interfaces is deleted", true, func(s *scene) {
		s.second()
		s.iface = "any"
		s.begin()
		s.packets(50, 200)
		s.settle()
		labtest.WithLink(s.T, s.a, "wa", netlink.LinkDel)
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true, said: "interface is gone"}
		s.finish(syscall.SIGTERM)
	}},
	{"F06b", "interface renamed while it is captured", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		labtest.WithLink(s.T, s.b, "vb", func(l netlink.Link) error { return netlink.LinkSetName(l, "vc") })
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F06c", "`-i any`: an interface comes", true, func(s *scene) {
		s.iface = "any"
		s.begin()
		s.packets(50, 200)
		s.second()
		if s.icap() {
			s.await("wb@")
		}
		n, err := lab.SendUDP(s.a, netip.MustParseAddrPort("10.10.0.2:9"), 50, 100)
		s.must(err)
		s.outcome.sent += n
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F56", "`-i any`: what tells of interfaces overflows, by forty that come and go", true, func(s *scene) {
		s.iface = "any"
		s.begin()
		s.packets(50, 200)
		if s.icap() {
			s.overflow()
		}
		s.second()
		if s.icap() {
			s.must(s.proc.Process.Signal(syscall.SIGCONT))
			s.await("wb@")
		}
		n, err := lab.SendUDP(s.a, netip.MustParseAddrPort("10.10.0.2:9"), 50, 100)
		s.must(err)
		s.outcome.sent += n
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F07", "name of the namespace removed", true, func(s *scene) {
		ns, name, err := lab.NewOwned("fault")
		s.must(err)
		defer ns.Close()
		labtest.Veth(s.T, s.a, "na", ns, "nb", netip.MustParsePrefix("10.8.0.1/24"), netip.MustParsePrefix("10.8.0.2/24"))
		s.iface, s.b = "nb", ns
		s.begin()
		s.must(lab.RemoveNamespace(name))
		n, err := lab.SendUDP(s.a, netip.MustParseAddrPort("10.8.0.2:9"), 20, 100)
		s.must(err)
		s.outcome.sent = n
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F27", "interface with ESC in its name", true, func(s *scene) {
		labtest.WithLink(s.T, s.b, "vb", func(l netlink.Link) error { return netlink.LinkSetName(l, "v\x1b[1mb") })
		s.iface = "v\x1b[1mb"
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		if strings.Contains(s.proc.text(), "\x1b") {
			s.outcome.note = "ESC reaches the terminal"
			if s.icap() {
				s.Error(s.outcome.note)
			}
		}
	}},
	{"F38", "threads left in the pod's namespace", true, func(s *scene) {
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		if s.icap() {
			s.foreignThreads()
		}
		s.finish(syscall.SIGTERM)
	}},
}
