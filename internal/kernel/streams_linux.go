package kernel

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tcpEstablished is the state of a connection, from include/net/tcp_states.h.
const tcpEstablished = "01"

func streams(proc string, pid int) (all []Stream, err error) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	own, err := socketsOf(filepath.Join(dir, "fd"))
	if err != nil || len(own) == 0 {
		return nil, err
	}
	for _, table := range []string{"tcp", "tcp6"} {
		found, err := streamsIn(filepath.Join(dir, "net", table), own)
		if err != nil {
			return all, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// streamsIn finds connections by the inodes of their sockets, in a table as
// parseProcNet reads it.
func streamsIn(table string, inodes []uint64) (all []Stream, err error) {
	f, err := os.Open(table)
	if os.IsNotExist(err) {
		return nil, nil // a kernel without IPv6
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan() // The first line has the names of the columns.
	for lines.Scan() {
		field := strings.Fields(lines.Text())
		if len(field) < 10 || field[3] != tcpEstablished {
			continue
		}
		inode, err := strconv.ParseUint(field[9], 10, 64)
		if err != nil || !slices.Contains(inodes, inode) {
			continue
		}
		var s Stream
		if s.Local, err = parseHexAddr(field[1]); err == nil {
			s.Remote, err = parseHexAddr(field[2])
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", table, err)
		}
		all = append(all, s)
	}
	return all, lines.Err()
}

func pipeReaders(proc string, inode uint64) (all []Process, err error) {
	pids, err := listPIDs(proc)
	if err != nil {
		return nil, err
	}
	link := fmt.Sprintf("pipe:[%d]", inode)
	for _, pid := range pids {
		if reads(filepath.Join(proc, strconv.Itoa(pid), "fd"), link) {
			all = append(all, Process{PID: pid, Command: command(proc, pid), GID: group(proc, pid)})
		}
	}
	return all, nil
}

// reads reports whether a directory of file descriptors has one for reading
// that is linked to a name: the permissions of the link tell, see proc_pid_fd(5).
func reads(dir, link string) bool {
	const readable = 0o400
	names, err := readNames(dir)
	if err != nil {
		return false
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if to, err := os.Readlink(path); err != nil || to != link {
			continue
		}
		if st, err := os.Lstat(path); err == nil && st.Mode()&readable != 0 {
			return true
		}
	}
	return false
}

func named(proc string, names []string) (all []Process, err error) {
	pids, err := listPIDs(proc)
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		if name := command(proc, pid); slices.Contains(names, name) {
			all = append(all, Process{PID: pid, Command: name, GID: group(proc, pid)})
		}
	}
	return all, nil
}
