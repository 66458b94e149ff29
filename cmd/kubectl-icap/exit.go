package main

import (
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"icap/bpfc"
	"icap/cmd/kubectl-icap/internal/advice"
	"icap/cmd/kubectl-icap/stream"
	"icap/internal/plain"
)

// Exit codes, those of icap.
const (
	exitDone      = 0
	exitFailed    = 1 // nothing was captured
	exitUsage     = 2 // command line or filter expression
	exitFault     = 3 // a node or pod has failed; what was written is whole
	exitPrivilege = 4 // a right is missing
)

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// A faultError came when packets were captured already.
type faultError struct{ err error }

func (e faultError) Error() string { return e.err.Error() }
func (e faultError) Unwrap() error { return e.err }

func exitCode(err error) int {
	var (
		usage  usageError
		fault  faultError
		filter *bpfc.Error
		remote *stream.ExitError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage), errors.As(err, &filter):
		return exitUsage
	case errors.As(err, &fault):
		return exitFault
	case apierrors.IsForbidden(err):
		return exitPrivilege
	case errors.As(err, &remote) && remote.Code != exitFault:
		return remote.Code
	}
	return exitFailed
}

// tell prints an error, a line for each that it joins, and what to do about
// those that are known, each once.
func tell(w io.Writer, err error) {
	if err == nil {
		return
	}
	told := make(map[advice.Cause]bool)
	for _, err := range parts(err) {
		fmt.Fprintf(w, "icap: %s\n", plain.Text(err.Error()))
		if cause, say := advice.For(err.Error()); say != "" && !told[cause] {
			told[cause] = true
			fmt.Fprintf(w, "icap: %s: %s\n", cause, say)
		}
	}
	var filter *bpfc.Error
	if errors.As(err, &filter) {
		fmt.Fprintln(w, filter.Caret())
	}
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(w, "icap: see kubectl icap --help")
	}
}

// parts are the errors that one joins.
func parts(err error) []error {
	if fault, ok := err.(faultError); ok {
		return parts(fault.err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}
