package kernel

import (
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRuleEvents tells of rules by each program that the kernel tells of.
func TestRuleEvents(t *testing.T) {
	enterNetns(t)
	f, err := RuleEvents()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	message := make([]byte, 1<<16)
	for name, apply := range map[string]func(){
		"iptables-nft": func() {
			run(t, "*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n", "iptables-nft-restore")
		},
		"nft": func() { run(t, "add table inet istio-proxy-nat", "nft", "-f", "-") },
	} {
		apply()
		if n, err := f.Read(message); n == 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		for { // what else it has told
			raw, err := f.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			var rerr error
			if err := raw.Read(func(fd uintptr) bool {
				_, rerr = unix.Read(int(fd), message)
				return true
			}); err != nil {
				t.Fatal(err)
			}
			if rerr == unix.EAGAIN {
				break
			}
		}
	}
}

func TestRuleEventsWithoutPrivilege(t *testing.T) {
	enterNetns(t)
	drop(t, unix.CAP_NET_ADMIN)
	if f, err := RuleEvents(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("RuleEvents without CAP_NET_ADMIN: %v, %v", f, err)
	}
}
