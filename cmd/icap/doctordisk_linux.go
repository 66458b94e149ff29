package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/direct"
	"icap/internal/plain"
)

// disk looks at the directory of an output file: its file system, the room
// there, and how icap would write. It leaves nothing there. Demanded says that
// the file was named.
func disk(output string, demanded bool) finding {
	f := finding{Name: "disk", Health: fine}
	dir := filepath.Dir(output)
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		f.Health, f.Found = limited, dir+": "+unread(err)
		f.Advice = "captures go into a directory that is there, or to standard output (-w -)"
		if demanded {
			f.Health = broken
		}
		return f
	}
	m, _ := mountOf(readMounts(), dir)
	free := float64(st.Bavail) * float64(st.Bsize)
	f.Found = fmt.Sprintf("%s: %s, %s of %s free", dir, m.kind, plain.Bytes(free), plain.Bytes(float64(st.Blocks)*float64(st.Bsize)))
	switch err := direct.Probe(output); {
	case errors.Is(err, direct.ErrRefused):
		f.Found += ", refuses O_DIRECT"
		f.Health, f.Advice = limited, "captures are copied (--write copy), which costs more CPU time"
	case err != nil:
		f.Found += ", cannot be written: " + err.Error()
		f.Health, f.Advice = limited, "captures go into a directory that can be written, or to standard output (-w -)"
		if demanded {
			f.Health = broken
		}
	case direct.InMemory(output):
		f.Found += ", in memory"
		f.Health, f.Advice = limited, "a capture takes memory there, and is copied (--write copy): -C and -W bound it"
	default:
		f.Found += ", takes O_DIRECT: one interface is written directly (--write direct), legs and several interfaces are copied"
		f.room(free)
	}
	return f
}

// room tells of a disk that is full soon.
func (f *finding) room(free float64) {
	const little = 1 << 30
	if free < little {
		f.Health, f.Advice = limited, "-C and -W, or --max-bytes, keep a capture within that"
	}
}

// memory says how large rings can be, and how much icap may take besides.
func memory() finding {
	const least = 64 << 20 // what icap takes with packets held back for a moment
	f := finding{Name: "memory", Health: fine, Found: "unknown"}
	kib, ok := memAvailable("/proc/meminfo")
	if !ok {
		return f
	}
	f.Found = fmt.Sprintf("%d MiB available, half of it for rings; a ring takes %d to %d MiB",
		kib>>10, afpacket.PodGeometry.Size()>>20, afpacket.LargeGeometry.Size()>>20)
	if 2*afpacket.LargeGeometry.Size()>>10 > kib {
		f.Health, f.Advice = limited, "rings will be smaller than usual, and drop sooner"
	}
	limit, ok := cgroupMemory("/")
	if !ok {
		return f
	}
	f.Found += fmt.Sprintf("; the cgroup's limit is %d MiB, in which rings do not count", limit>>20)
	if limit < least {
		f.Health, f.Advice = limited, "packets that are held back, as by --trigger and --keylog, can be too many for the cgroup: a higher limit, or --max-memory"
	}
	return f
}
