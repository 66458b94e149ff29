package main

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A mount is a line of proc_pid_mountinfo(5).
type mount struct {
	root    string // what of the file system is mounted
	point   string // where
	kind    string // of file system
	options []string
}

// readMounts reads what is mounted for this process, those that hide others
// last.
func readMounts() (mounts []mount) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		front, back, ok := strings.Cut(lines.Text(), " - ")
		a, b := strings.Fields(front), strings.Fields(back)
		if !ok || len(a) < 6 || len(b) < 3 {
			continue
		}
		mounts = append(mounts, mount{
			root: unescape.Replace(a[3]), point: unescape.Replace(a[4]), kind: b[0],
			options: slices.Concat(strings.Split(a[5], ","), strings.Split(b[2], ",")),
		})
	}
	return mounts
}

// mountOf is the mount that a path is in.
func mountOf(mounts []mount, path string) (found mount, ok bool) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return mount{}, false
	}
	for _, m := range mounts {
		inside := m.point == "/" || path == m.point || strings.HasPrefix(path, m.point+"/")
		if inside && len(m.point) >= len(found.point) {
			found, ok = m, true
		}
	}
	return found, ok
}

// option is the value of an option such as hidepid=2, or the option itself if
// it has none, or empty.
func (m mount) option(name string) string {
	for _, o := range m.options {
		if o == name {
			return o
		}
		if value, ok := strings.CutPrefix(o, name+"="); ok {
			return value
		}
	}
	return ""
}

func (m mount) readOnly() bool { return m.option("ro") != "" }
