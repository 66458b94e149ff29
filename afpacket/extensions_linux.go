package afpacket

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// beforeExtensions is what a kernel before 3.14 has, which does not know the
// question: all before the VLAN tag.
const beforeExtensions = 44

// Extensions returns how much of what the kernel knows about packets beside
// their bytes a filter program can load: what is at offsets below it, from
// SKF_AD_OFF (linux/filter.h). It is the same for all sockets: since Linux 4.1
// it is 64, with the VLAN tag at 44 and whether there is one at 48.
//
// The kernel is asked with SO_BPF_EXTENSIONS (bpf_tell_extensions).
func Extensions() (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("ask for filter extensions: socket: %w", err)
	}
	defer unix.Close(fd)
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BPF_EXTENSIONS)
	switch {
	case errors.Is(err, unix.ENOPROTOOPT):
		return beforeExtensions, nil
	case err != nil:
		return 0, fmt.Errorf("ask for filter extensions: getsockopt SO_BPF_EXTENSIONS: %w", err)
	}
	return n, nil
}
