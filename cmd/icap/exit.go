package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"icap/afpacket"
	"icap/bpfc"
	"icap/internal/plain"
	"icap/pcapwriter"
)

// Exit codes.
const (
	exitDone      = 0
	exitFailed    = 1 // nothing was captured
	exitUsage     = 2 // command line or filter expression
	exitFault     = 3 // a fault ended the capture; what was written is whole
	exitPrivilege = 4 // a capability is missing, and named
)

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// A faultError ended a capture that was running.
type faultError struct{ err error }

func (e faultError) Error() string { return e.err.Error() }
func (e faultError) Unwrap() error { return e.err }

// An outputError is about the output file, for which no capability helps.
type outputError struct{ err error }

func (e outputError) Error() string { return e.err.Error() }
func (e outputError) Unwrap() error { return e.err }

func exitCode(err error) int {
	var (
		usage  usageError
		fault  faultError
		output outputError
		filter *bpfc.Error
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &filter):
		return exitUsage
	case errors.As(err, &fault):
		return exitFault
	case errors.As(err, &output):
		return exitFailed
	case errors.Is(err, fs.ErrPermission):
		return exitPrivilege
	default:
		return exitFailed
	}
}

// printError prints an error as one line, and a fault of the filter with a caret
// under the place. The command is that which has failed.
func printError(w io.Writer, command string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(w, "icap: %s\n", printable(err.Error()))
	var filter *bpfc.Error
	if errors.As(err, &filter) {
		fmt.Fprintln(w, filter.Caret())
	}
	if hint := hintFor(command, err); hint != "" {
		fmt.Fprintf(w, "icap: %s\n", hint)
	}
}

// hintFor says what to do about an error, where that is known.
func hintFor(command string, err error) string {
	var (
		usage usageError
		limit *bpfc.LimitError
	)
	switch {
	case errors.As(err, &limit):
		return "a capture with this filter works all the same: icap runs it on every packet"
	case errors.As(err, &usage):
		return "see " + command + " --help"
	case errors.Is(err, fs.ErrExist):
		return "use another name, or --force to overwrite the file"
	case errors.Is(err, afpacket.ErrGone), errors.Is(err, errPodGone):
		return "what was received before is in the output"
	case errors.Is(err, pcapwriter.ErrInUse):
		return "two captures cannot share one file"
	case exitCode(err) == exitPrivilege:
		return privilegeHint(err)
	}
	return ""
}

// printable quotes what could talk to a terminal.
func printable(s string) string { return plain.Text(s) }
