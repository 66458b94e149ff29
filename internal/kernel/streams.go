package kernel

import "net/netip"

// A Stream is an established TCP connection.
type Stream struct{ Local, Remote netip.AddrPort }

// Streams are the established TCP connections of a process that are in its own
// network namespace. proc is where proc(5) is mounted.
func Streams(proc string, pid int) ([]Stream, error) { return streams(proc, pid) }

// PipeReaders are the processes that can read from a pipe, which is named by its
// inode, as far as they may be looked into. proc is where proc(5) is mounted.
func PipeReaders(proc string, inode uint64) ([]Process, error) { return pipeReaders(proc, inode) }

// Command is the name of a process, see proc_pid_comm(5), empty if it has gone.
// proc is where proc(5) is mounted.
func Command(proc string, pid int) string { return command(proc, pid) }

// Named are the processes with one of these names, see proc_pid_comm(5). proc is
// where proc(5) is mounted.
func Named(proc string, names ...string) ([]Process, error) { return named(proc, names) }
