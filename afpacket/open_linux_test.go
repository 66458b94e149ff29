package afpacket_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/lab/labtest"
)

// A ring for which the address space has no room is made smaller.
func TestFallsBackToSmallerRing(t *testing.T) {
	labtest.Need(t)
	if os.Getenv("ICAP_TEST_SMALL_RING") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestFallsBackToSmallerRing$", "-test.v")
		cmd.Env = append(os.Environ(), "ICAP_TEST_SMALL_RING=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	limit := unix.Rlimit{Cur: addressSpace(t) + 200<<20, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	wanted := afpacket.Geometry{BlockSize: 1 << 20, Blocks: 512}
	r, err := afpacket.Open(afpacket.Config{Interface: "lo", Ring: wanted})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := r.Geometry(); got.Size() >= 200<<20 || got.Size() < 32<<20 {
		t.Errorf("got %v with 200 MiB left", got)
	}
}

func addressSpace(t *testing.T) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	for _, c := range strings.Fields(string(b))[0] {
		pages = pages*10 + uint64(c-'0')
	}
	return pages * uint64(os.Getpagesize())
}

func TestOpenRefusals(t *testing.T) {
	ns := labtest.Namespace(t)
	for _, tt := range []struct {
		name   string
		config afpacket.Config
		want   string
	}{
		{"no such interface", afpacket.Config{Interface: "nope0"}, "no such network interface"},
		{"bad snaplen", afpacket.Config{Interface: "lo", Snaplen: 1 << 20}, "snaplen 1048576"},
		{"bad timeout", afpacket.Config{Interface: "lo", RetireTimeout: time.Microsecond}, "1 ms"},
		{"bad filter", afpacket.Config{Interface: "lo", Filter: []bpf.RawInstruction{{Op: 0xffff}}}, "invalid argument"},
	} {
		err := ns.Do(func() error {
			r, err := afpacket.Open(tt.config)
			if err == nil {
				r.Close()
			}
			return err
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestFilterTooLong(t *testing.T) {
	ns := labtest.Namespace(t)
	for _, tt := range []struct {
		length    int
		direction afpacket.Direction
		want      error
	}{
		{4096, afpacket.In, unix.ENOMEM},
		{4097, afpacket.In, afpacket.ErrFilterTooLong},
		{4096, afpacket.Out, afpacket.ErrFilterTooLong}, // it grows
		{1<<16 + 4, afpacket.In, afpacket.ErrFilterTooLong},
	} {
		long := make([]bpf.RawInstruction, tt.length)
		for i := range long {
			long[i] = bpf.RawInstruction{Op: 0x28, K: 12} // ldh [12]
		}
		long[len(long)-1] = bpf.RawInstruction{Op: 6}
		err := ns.Do(func() error {
			r, err := afpacket.Open(afpacket.Config{Interface: "lo", Filter: long, Direction: tt.direction})
			if err == nil {
				r.Close()
			}
			return err
		})
		if !errors.Is(err, afpacket.ErrFilterTooLong) || !errors.Is(err, tt.want) {
			t.Errorf("%d instructions: got %v, want %v", tt.length, err, tt.want)
		}
	}
}

// TestMissingCapability opens a ring as a user without CAP_NET_RAW.
func TestMissingCapability(t *testing.T) {
	labtest.Need(t)
	if os.Getenv("ICAP_TEST_NO_CAP") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMissingCapability$", "-test.v")
		cmd.Env = append(os.Environ(), "ICAP_TEST_NO_CAP=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for _, set := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setuid(65534) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := afpacket.Open(afpacket.Config{Interface: "lo"})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("got %v, want a refusal that names CAP_NET_RAW", err)
	}
}
