package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outputFaults are what happens to the output: disks, pipes, files and directories.
var outputFaults = []faultRow{
	{"F01", "output disk full", false, func(s *scene) {
		s.file = filepath.Join(tmpfs(s.T, "1m"), "out.pcapng")
		s.begin()
		s.packets(4000, 1000)
		s.wants = wants{code: exitFault, said: "no space left"}
		s.finish(0)
	}},
	{"F02", "reader of standard output dies", false, func(s *scene) {
		r, w, err := os.Pipe()
		s.must(err)
		cmd := s.command("-")
		cmd.Stdout = w
		s.start(cmd, strings.Replace(s.marker(), "File: ", "Capturing on", 1))
		w.Close()
		s.packets(40, 200)
		_, err = io.ReadFull(r, make([]byte, 500))
		s.must(err)
		s.must(r.Close())
		s.packets(200, 200)
		s.wants = wants{code: exitFault, said: "broken pipe", torn: true}
		s.finish(0)
	}},
	{"F03", "named pipe: SIGTERM before there is a reader", false, func(s *scene) {
		s.must(unix.Mkfifo(s.file, 0o600))
		s.launch(s.command(s.file))
		if s.icap() {
			s.await("waiting for a reader")
		}
		s.wants = wants{code: exitFailed, refuses: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F03b", "named pipe: the reader comes late and dies early", true, func(s *scene) {
		s.must(unix.Mkfifo(s.file, 0o600))
		s.launch(s.command(s.file))
		if s.icap() {
			s.await("waiting for a reader")
		}
		r, err := os.Open(s.file)
		s.must(err)
		s.onWire()
		s.packets(20, 200)
		_, err = io.ReadFull(r, make([]byte, 300))
		s.must(err)
		s.must(r.Close())
		s.packets(200, 200)
		s.wants = wants{code: exitFault, said: "broken pipe", torn: true}
		s.finish(0)
	}},
	{"F13", "becomes nobody (`-Z`), output directory of root's", true, func(s *scene) {
		s.becomesNobody()
		s.begin("-Z", "nobody")
		s.packets(100, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F18", "output path is a symbolic link", false, func(s *scene) {
		s.must(os.Symlink(filepath.Join(s.dir, "target"), s.file))
		s.wants = wants{code: exitFailed, said: s.file}
		s.once(func() string {
			if _, err := os.Stat(filepath.Join(s.dir, "target")); err == nil {
				return "follows it"
			}
			return ""
		})
	}},
	{"F19", "output file exists", false, func(s *scene) {
		s.must(os.WriteFile(s.file, []byte("precious"), 0o600))
		s.wants = wants{code: exitFailed, said: "--force", torn: true}
		s.once(func() string {
			if b, _ := os.ReadFile(s.file); string(b) != "precious" {
				return "overwrites it"
			}
			return "leaves it alone"
		})
	}},
	{"F20", "output removed while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.written()
		s.must(os.Remove(s.file))
		s.packets(50, 200)
		s.wants = wants{code: exitFault, said: "removed"}
		s.finish(0)
	}},
	{"F21", "output truncated while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.written()
		s.must(os.Truncate(s.file, 0))
		s.packets(50, 200)
		s.wants = wants{code: exitFault, said: "truncated", torn: true}
		s.finish(0)
		s.outcome.readable = -1 // what was captured before is not in the file any more
	}},
	{"F21b", "output renamed while capturing", true, func(s *scene) {
		s.begin()
		s.packets(50, 200)
		s.settle()
		s.must(os.Rename(s.file, s.file+".old"))
		s.file += ".old"
		s.packets(50, 200)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F22", "limit of the size of files (RLIMIT_FSIZE)", true, func(s *scene) {
		s.before = []string{"prlimit", "--fsize=200000"}
		s.begin()
		s.packets(1000, 1000)
		s.wants = wants{code: exitFault, said: "file too large"}
		s.finish(0)
	}},
	{"F24", "ring of files: 3 of 1 MB, 8 MB of packets", false, func(s *scene) {
		args := []string{"-C", "1", "-W", "3"}
		if s.program == "dumpcap" {
			args = []string{"-b", "filesize:1000", "-b", "files:3"}
		}
		s.begin(args...)
		s.paced(8000, 1000, 20000)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		s.series = true
		s.read()
		s.outcome.note = fmt.Sprintf("the last %d in the files", s.outcome.readable)
		s.outcome.readable = -1
	}},
	{"F25", "rotation without an inode left", false, func(s *scene) {
		s.dir = tmpfs(s.T, "64m,nr_inodes=3")
		s.file, s.series = filepath.Join(s.dir, "out"), true
		args := []string{"-C", "1"}
		if s.program == "dumpcap" {
			args = []string{"-b", "filesize:1000"}
		}
		s.begin(args...)
		s.paced(8000, 1000, 20000)
		s.wants = wants{code: exitFault, said: "no space left"}
		s.finish(0)
	}},
	{"F28", "shell's metacharacters in the name of the file", true, func(s *scene) {
		s.file = filepath.Join(s.dir, "$(touch pwn);x.pcapng")
		s.begin()
		s.packets(10, 100)
		s.settle()
		s.wants = wants{all: true}
		s.finish(syscall.SIGTERM)
		if _, err := os.Stat(filepath.Join(s.dir, "pwn")); err == nil {
			s.Error("a shell read the name")
		}
	}},
	{"F30", "disk dies while it is written (ext4, shut down)", false, func(s *scene) {
		disk := s.disk()
		s.file = filepath.Join(disk, "out.pcapng")
		s.begin()
		s.packets(1000, 1000)
		s.settle()
		s.shutDown(disk)
		s.file = filepath.Join(s.dir, "nothing") // there is nothing to read any more
		s.packets(3000, 1000)
		s.wants = wants{code: exitFault, said: "input/output error"}
		s.finish(0)
	}},
	{"F31", "becomes nobody (`-Z`), rotation in root's directory", true, func(s *scene) {
		s.becomesNobody()
		s.file, s.series = filepath.Join(s.dir, "out"), true
		s.wants = wants{all: true}
		s.launch(s.command(s.file, "-Z", "nobody", "-C", "1"))
		if !s.icap() {
			s.finish(0) // it ends by itself
			return
		}
		s.await(listening)
		s.packets(4000, 1000)
		s.finish(syscall.SIGTERM)
	}},
	{"F33", "standard output closed at the start", true, func(s *scene) {
		s.before = []string{"sh", "-c", `exec "$0" "$@" >&-`}
		s.wants = wants{code: exitUsage, said: "standard output is closed"}
		cmd := s.command("-")
		s.refused(cmd)
	}},
	{"F33b", "standard error closed: the file is whole all the same", true, func(s *scene) {
		s.before = []string{"sh", "-c", `exec "$0" "$@" 2>&-`}
		s.launch(s.command(s.file))
		s.onWire()
		s.packets(20, 100)
		s.settle()
		s.wants = wants{refuses: true} // it can tell no counts
		s.finish(syscall.SIGTERM)
		if s.icap() && s.outcome.readable != 20 {
			s.Errorf("%d of 20 packets in the file", s.outcome.readable)
		}
	}},
	{"F41", "standard output is a terminal", true, func(s *scene) {
		tty := s.terminal()
		cmd := s.command("-")
		cmd.Stdout = tty
		s.wants = wants{code: exitUsage, said: "terminal"}
		s.refused(cmd)
	}},
	{"F42", "reader of standard output stands still, then SIGTERM", false, func(s *scene) {
		r, w, err := os.Pipe()
		s.must(err)
		defer r.Close()
		cmd := s.command("-")
		cmd.Stdout = w
		s.start(cmd, strings.Replace(s.marker(), "File: ", "Capturing on", 1))
		w.Close()
		s.packets(20000, 1000)
		time.Sleep(500 * time.Millisecond)
		s.wants = wants{code: exitFault, torn: true}
		s.finish(syscall.SIGTERM)
	}},
	{"F51", "two captures to one file", true, func(s *scene) {
		first := *s
		first.begin()
		s.wants = wants{code: exitFailed, said: "another capture"}
		s.once(func() string { return "" }, map[bool]string{true: "--force"}[s.icap()])
		first.finish(syscall.SIGTERM)
		if first.icap() && first.outcome.warned {
			s.Error("the first capture's file is damaged")
		}
	}},
}
