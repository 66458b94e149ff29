package pcapwriter

import "errors"

// Errors that callers tell apart. They arrive wrapped; use [errors.Is].
var (
	// ErrNoReader means that [Create] found a named pipe that nobody reads
	// yet. Creating it again later is all that is needed.
	ErrNoReader = errors.New("named pipe has no reader yet")
	// ErrInUse means that another capture is writing the file that [Create]
	// was to overwrite.
	ErrInUse = errors.New("another capture is writing this file")
	// ErrNotRegular means that [Create] found a device or a socket.
	ErrNotRegular = errors.New("neither a regular file nor a named pipe")
	// ErrTruncated means that somebody made the file of a [Writer] shorter.
	// To go on would leave a hole of zeros that no reader gets past.
	ErrTruncated = errors.New("file was truncated by someone else")
	// ErrUnlinked means that somebody removed the file of a [Writer], so that
	// whatever is written to it is gone when it is closed.
	ErrUnlinked = errors.New("file was removed by someone else")

	// errNotCut means that a file was overwritten, and the end of what it
	// held before could not be removed.
	errNotCut = errors.New("the rest of the old content could not be cut off")
)

// A WriteError is the fault that ended a [Writer].
type WriteError struct {
	// Path is the name of the file, as [os.File.Name] has it.
	Path string
	// Err is the cause: a [syscall.Errno] of write(2), such as ENOSPC, EFBIG
	// or EPIPE; [ErrTruncated] or [ErrUnlinked]; [os.ErrClosed] or
	// [os.ErrDeadlineExceeded].
	Err error
	// Torn says that the output ends inside a block: it is a pipe, or it
	// could not be cut back to its last whole block.
	Torn bool
}

// Error gives operation, file and cause.
func (e *WriteError) Error() string {
	s := "write " + e.Path + ": " + e.Err.Error()
	if e.Torn {
		s += " (the last block is torn)"
	}
	return s
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error {
	return e.Err
}
