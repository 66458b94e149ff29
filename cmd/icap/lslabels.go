package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"icap/internal/pods"
	"icap/internal/pods/cri"
)

// lsPatience is how long a list waits for the container runtime.
const lsPatience = time.Second

// A labelList is what the container runtime has told, or why it has not.
type labelList struct {
	sandboxes []cri.Sandbox
	err       error
}

// askLabels asks for labels if the format has any.
func askLabels(ctx context.Context, s pods.Scanner, socket, format string) (l labelList) {
	if format == "table" {
		return l
	}
	l.sandboxes, l.err = listSandboxes(ctx, s, socket, lsPatience)
	// Nobody has asked for a runtime where there is none.
	if socket == "" && (errors.Is(l.err, cri.ErrNotBuilt) || errors.Is(l.err, fs.ErrNotExist)) {
		l.err = nil
	}
	return l
}

// addLabels completes rows, or says why it cannot.
func addLabels(errs io.Writer, rows []lsRow, l labelList) {
	if l.err != nil {
		fmt.Fprintf(errs, "icap: note: without labels: %s\n", printable(l.err.Error()))
	}
	labels := make(map[string]map[string]string)
	for i := range l.sandboxes {
		labels[l.sandboxes[i].UID] = l.sandboxes[i].Labels
	}
	for i := range rows {
		if rows[i].UID != "" {
			rows[i].Labels = labels[rows[i].UID]
		}
	}
}

// labelText is how kubectl writes labels.
func labelText(labels map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, key+"="+labels[key])
	}
	return strings.Join(all, ",")
}
