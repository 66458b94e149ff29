// Package labtest makes labs and namespaces for tests: they end with the
// test, and a test that lacks a privilege is skipped by name.
//
// TestMain of a test that calls New has to begin with lab.RunRole.
package labtest

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/nsswitch"
)

// rootEnv set to 1 turns skips into failures, so that a run which is meant to
// have all privileges proves that it had them.
const rootEnv = "ICAP_TEST_ROOT"

// newTimeout bounds how long New may take.
const newTimeout = 30 * time.Second

// Need skips the test unless it may make namespaces and start processes of
// other users in them, and says what is missing.
func Need(tb testing.TB) {
	tb.Helper()
	lack := missing()
	if len(lack) == 0 {
		return
	}
	Skip(tb, "needs "+strings.Join(lack, ", ")+"; run it as root")
}

// Skip skips the test for a reason that a complete run does not have: under
// ICAP_TEST_ROOT=1 it fails the test.
func Skip(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv(rootEnv) == "1" {
		tb.Fatalf("%s (%s=1 forbids to skip)", why, rootEnv)
	}
	tb.Skip(why)
}

// New makes a lab that is closed when the test ends. Its progress goes to the
// test's log unless the configuration names another one.
func New(tb testing.TB, c lab.Config) *lab.Lab {
	tb.Helper()
	Need(tb)
	if c.Log == nil {
		c.Log = tb.Output()
	}
	ctx, cancel := context.WithTimeout(tb.Context(), newTimeout)
	defer cancel()
	l, err := lab.New(ctx, c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// Namespace makes an empty network namespace with lo up, for the time of the
// test. It has a name below /run/netns, which its String method returns.
func Namespace(tb testing.TB) *nsswitch.NS {
	tb.Helper()
	Need(tb)
	ns, name, err := lab.NewOwned("test")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ns.Close(); err != nil {
			tb.Error(err)
		}
		if err := lab.RemoveNamespace(name); err != nil {
			tb.Error(err)
		}
	})
	return ns
}

// Veth joins two namespaces. The addresses go to the two ends in turn: the
// first to a, the second to b, the third to a, and so on.
func Veth(tb testing.TB, a *nsswitch.NS, aName string, b *nsswitch.NS, bName string, addrs ...netip.Prefix) {
	tb.Helper()
	if err := lab.Veth(a, aName, b, bName); err != nil {
		tb.Fatal(err)
	}
	for i, p := range addrs {
		ns, name := a, aName
		if i%2 == 1 {
			ns, name = b, bName
		}
		if err := lab.AddAddr(ns, name, p); err != nil {
			tb.Fatal(err)
		}
	}
}
