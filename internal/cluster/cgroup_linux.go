package cluster

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// cgroupRoots are the directories of a cgroup in all hierarchies.
func cgroupRoots(name string) ([]string, error) {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(root, name)}, nil
	}
	// Names such as cpu are links where one hierarchy has several controllers.
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(root, e.Name(), name))
		}
	}
	return dirs, nil
}

// makeCgroups makes a cgroup in all hierarchies.
func makeCgroups(name string) error {
	dirs, err := cgroupRoots(name)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroups removes a cgroup and all below it. Those of processes that have
// just been killed are in use for a moment.
func removeCgroups(name string) error {
	roots, err := cgroupRoots(name)
	if err != nil {
		return err
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var failed error
		for _, root := range roots {
			failed = errors.Join(failed, removeTree(root))
		}
		if failed == nil || time.Now().After(end) {
			return failed
		}
	}
}

// removeTree removes directories from the leaves on.
func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for _, dir := range slices.Backward(dirs) {
		if e := syscall.Rmdir(dir); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, &os.PathError{Op: "rmdir", Path: dir, Err: e})
		}
	}
	return err
}
