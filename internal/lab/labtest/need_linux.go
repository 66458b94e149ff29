package labtest

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// missing names the capabilities that a lab needs and this process lacks.
func missing() []string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return []string{err.Error()}
	}
	var effective uint64
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			_, err = fmt.Sscanf(hex, "%x", &effective)
		}
	}
	if err != nil {
		return []string{fmt.Sprintf("CapEff in /proc/self/status: %v", err)}
	}
	var lack []string
	for _, c := range []struct {
		bit  int
		name string
	}{
		{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
		{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		{unix.CAP_NET_RAW, "CAP_NET_RAW"},
		{unix.CAP_SETUID, "CAP_SETUID"},
		{unix.CAP_SETGID, "CAP_SETGID"},
	} {
		if effective&(1<<c.bit) == 0 {
			lack = append(lack, c.name)
		}
	}
	return lack
}
