package sandbox

import (
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// become goes on as another user, with the capabilities that are permitted to
// keep some of them.
func become(u *User, keep bool) error {
	if keep {
		if err := allThreads(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
			return fmt.Errorf("become user %s: keep capabilities: %w", u.Name, err)
		}
	}
	if err := syscall.Setgroups(u.Groups); err != nil {
		return fmt.Errorf("become user %s: setgroups: %w", u.Name, err)
	}
	if err := syscall.Setgid(u.GID); err != nil {
		return fmt.Errorf("become user %s: setgid: %w", u.Name, err)
	}
	if err := syscall.Setuid(u.UID); err != nil {
		return fmt.Errorf("become user %s: setuid: %w", u.Name, err)
	}
	return nil
}

// mayWrite reports whether a user may make files in a directory by its owner,
// group and mode.
func mayWrite(dir string, uid int, groups []int) bool {
	const enterAndWrite = 3
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return false
	}
	mode := st.Mode
	switch {
	case int(st.Uid) == uid:
		mode >>= 6
	case slices.Contains(groups, int(st.Gid)):
		mode >>= 3
	}
	return mode&enterAndWrite == enterAndWrite
}
