package main

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// loadFaults are too many packets, or large ones, and too little memory and time.
var loadFaults = []faultRow{
	{"F09", "program stopped for 2 s at 40,000 packets/s", false, func(s *scene) {
		s.begin()
		s.must(s.proc.Process.Signal(syscall.SIGSTOP))
		s.paced(80000, 200, 40000)
		s.must(s.proc.Process.Signal(syscall.SIGCONT))
		s.paced(10000, 200, 20000)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F10", "a million packets of 8 bytes at full speed", false, func(s *scene) {
		s.begin()
		s.packets(1000000, 8)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F11", "GSO frames, TCP over IPv4", false, func(s *scene) {
		s.expr = "tcp"
		s.begin()
		s.transfer(unix.AF_INET)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F11b", "BIG TCP frames, over IPv6", true, func(s *scene) {
		s.expr = "ip6" // a frame with a jumbo payload begins with options, not with TCP
		s.bigTCP()
		s.begin()
		s.transfer(unix.AF_INET6)
		s.settle()
		s.finish(syscall.SIGTERM)
		if s.icap() && !strings.Contains(s.outcome.note, "largest frame 1") {
			s.Errorf("no frame beyond 100 kB: %s", s.outcome.note)
		}
	}},
	{"F26", "no packet at all", true, func(s *scene) {
		s.begin()
		s.wants = wants{said: "no packet matched"}
		s.finish(syscall.SIGTERM)
	}},
	{"F32", "ring cannot be mapped (RLIMIT_AS)", false, func(s *scene) {
		if s.icap() {
			s.before = []string{"prlimit", "--as=2000000000"}
			s.begin("-B", "1800m")
			s.wants = wants{said: "memory is short"}
			s.finish(syscall.SIGTERM)
			return
		}
		s.before = []string{"prlimit", "--as=500000000"}
		s.refused(s.command(s.file, "-B", map[string]string{"tcpdump": "1000000", "dumpcap": "1000"}[s.program]))
	}},
	{"F48", "cgroup with a memory limit of 64 MiB, full speed", true, func(s *scene) {
		s.memoryLimit(64 << 20)
		s.begin()
		s.packets(50000, 200)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F49", "CPU starved: nice 19 beside busy loops", false, func(s *scene) {
		s.busy()
		s.before = []string{"nice", "-n", "19"}
		s.begin()
		s.packets(100000, 200)
		s.settle()
		s.finish(syscall.SIGTERM)
	}},
	{"F54", "`-s 64`", false, func(s *scene) {
		s.begin("-s", "64")
		s.packets(10, 500)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
}
