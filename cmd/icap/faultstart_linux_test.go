package main

// startFaults are what a program finds out before it captures.
var startFaults = []faultRow{
	{"F14", "output directory missing", false, func(s *scene) {
		s.wants = wants{code: exitFailed, said: "no such file"}
		s.refused(s.command(s.dir + "/no/out.pcapng"))
	}},
	{"F15", "no such interface", false, func(s *scene) {
		s.iface = "nope0"
		s.wants = wants{code: exitFailed, said: `"vb"`}
		s.refused(s.command(s.file))
	}},
	{"F16", "filter with an error", false, func(s *scene) {
		s.expr = "tcp prot 80"
		s.wants = wants{code: exitUsage, said: "^~~~"}
		s.refused(s.command(s.file))
	}},
	{"F17", "no capability", false, func(s *scene) {
		s.before = []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}
		s.wants = wants{code: exitPrivilege, said: "CAP_"}
		s.refused(s.command(s.file))
	}},
	{"F23", "ring larger than memory", true, func(s *scene) {
		size := map[string]string{"icap": "40g", "tcpdump": "40000000", "dumpcap": "40000"}[s.program]
		s.wants = wants{code: exitUsage, said: "memory available"}
		s.refused(s.command(s.file, "-B", size))
	}},
	{"F29", "no descriptor left", true, func(s *scene) {
		s.before = []string{"prlimit", "--nofile=5"}
		s.wants = wants{code: exitFailed, said: "too many open files"}
		s.refused(s.command(s.file))
	}},
}
