package main

import (
	"syscall"
	"time"
)

// signalFaults are the signals that end a program, or ask it.
var signalFaults = []faultRow{
	{"F08", "SIGTERM under load", false, func(s *scene) { s.signal(syscall.SIGTERM) }},
	{"F08i", "SIGINT under load", true, func(s *scene) { s.signal(syscall.SIGINT) }},
	{"F08h", "SIGHUP under load", true, func(s *scene) { s.signal(syscall.SIGHUP) }},
	{"F08q", "SIGQUIT under load", true, func(s *scene) { s.signal(syscall.SIGQUIT) }},
	{"F08b", "SIGTERM right after a burst of 2000", false, func(s *scene) {
		s.begin()
		s.packets(2000, 200)
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F08u", "SIGUSR1 under load", true, func(s *scene) { s.asked(syscall.SIGUSR1) }},
	{"F08v", "SIGUSR2 under load", true, func(s *scene) { s.asked(syscall.SIGUSR2) }},
	{"F08k", "SIGKILL a second after the last of 3000 packets", true, func(s *scene) {
		s.begin()
		s.paced(3000, 200, 10000)
		time.Sleep(time.Second)
		s.wants = wants{code: -1, torn: true}
		s.finish(syscall.SIGKILL)
		if s.icap() && s.outcome.readable != 3000 {
			s.Errorf("%d of 3000 readable", s.outcome.readable)
		}
	}},
}
