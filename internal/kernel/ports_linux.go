package kernel

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// portRange is read in the namespace of the calling thread: the files below
// /proc/sys/net show the namespace of whoever opens them, whatever proc was
// mounted by.
const portRange = "/proc/sys/net/ipv4/ip_local_port_range"

func ephemeralPorts() (first, last uint16, err error) {
	b, err := os.ReadFile(portRange)
	if err != nil {
		return 0, 0, fmt.Errorf("read the range of ephemeral ports: %w", err)
	}
	f := strings.Fields(string(b))
	if len(f) != 2 {
		return 0, 0, fmt.Errorf("parse %s: %d fields instead of 2", portRange, len(f))
	}
	lo, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("parse %s: %w", portRange, err)
	}
	hi, err := strconv.ParseUint(f[1], 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("parse %s: %w", portRange, err)
	}
	return uint16(lo), uint16(hi), nil
}
