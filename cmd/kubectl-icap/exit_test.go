package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/stream"
)

func forbidden() error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "web-0", errors.New(`User "jane" cannot get resource "pods" in API group "" in the namespace "shop"`))
}

func TestExitCode(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"done":            {nil, exitDone},
		"usage":           {fmt.Errorf("x: %w", usagef("no")), exitUsage},
		"filter":          {new(capturing).checked("tcp prot 80"), exitUsage},
		"duration":        {(&capturing{delay: 1}).check(""), exitUsage},
		"RBAC":            {forbidden(), exitPrivilege},
		"refused":         {&place.Refusal{Where: "node n", Text: "no", Err: forbidden()}, exitPrivilege},
		"privilege":       {&stream.ExitError{Code: 4}, exitPrivilege},
		"partly":          {faultError{errors.Join(forbidden(), errors.New("y"))}, exitFault},
		"anything else":   {errors.New("x"), exitFailed},
		"the pod is gone": {&stream.ExitError{Code: 3}, exitFailed},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d: %v", name, got, tt.want, tt.err)
		}
	}
}

// checked is check with flags that make sense.
func (c *capturing) checked(expr string) error {
	c.duration, c.delay = 1e9, 1e9
	return c.check(expr)
}

// TestTell says of each that refuses what to change, and once only.
func TestTell(t *testing.T) {
	var b bytes.Buffer
	tell(&b, faultError{errors.Join(fmt.Errorf("node-1: %w", forbidden()), fmt.Errorf("node-2: %w", forbidden()), errors.New("\x1b[2J"))})
	out := b.String()
	if strings.Count(out, "icap: node-") != 2 || strings.Count(out, "icap: RBAC: ") != 1 || strings.Contains(out, "\x1b") {
		t.Errorf("it says\n%s", out)
	}
}
