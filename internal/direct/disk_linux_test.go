package direct_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"icap/afpacket"
	"icap/internal/direct"
	"icap/internal/lab/labtest"
	"icap/pcapwriter"
)

// Packets that come one by one take no more of the disk than they need.
func TestTrickle(t *testing.T) {
	const n = 300
	w := newWire(t)
	f, out := newFile(t)
	c := direct.Config{Rings: w.open(t, afpacket.Config{Snaplen: 2000, RetireTimeout: time.Millisecond,
		Ring: afpacket.Geometry{BlockSize: 16 << 10, Blocks: 512}}, 1), File: out}
	if _, err := run(t, c, func() { w.send(t, burst(n, 200), 2*time.Millisecond) }); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const each = 44 + 200 + 56 // with the statistics of a block
	if most := int64(4096 + n*each + 200); st.Size() > most {
		t.Errorf("%d bytes, want %d at most", st.Size(), most)
	}
	judge(t, f.Name(), n)
}

// small mounts a file system of a size that takes O_DIRECT.
func small(t *testing.T, size string) string {
	t.Helper()
	labtest.Need(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := direct.Probe(filepath.Join(dir, "x")); err != nil {
		labtest.Skip(t, "needs a tmpfs with O_DIRECT (Linux 6.6): "+err.Error())
	}
	return dir
}

// A full disk ends the capture; the file has whole blocks, the packets that are
// counted, and, where there is room, the statistics.
func TestDiskFull(t *testing.T) {
	for _, rings := range []int{1, 3} {
		for _, size := range []int{60, 300, 1400} {
			t.Run(fmt.Sprintf("%d rings, %d bytes", rings, size), func(t *testing.T) {
				w := newWire(t)
				f, err := pcapwriter.Create(filepath.Join(small(t, "1m"), "full.pcapng"), false)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				out, err := direct.Create(f, header())
				if err != nil {
					t.Fatal(err)
				}
				c := direct.Config{Rings: w.open(t, afpacket.Config{Ring: afpacket.Geometry{BlockSize: 512 << 10, Blocks: 16}}, rings), File: out}
				result, err := run(t, c, func() { w.send(t, burst(2<<20/size, size), 0) })
				var e *pcapwriter.WriteError
				if !errors.As(err, &e) || !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), f.Name()) {
					t.Fatalf("error is %v", err)
				}
				got := int(result.Total().Written)
				if got == 0 || result.Sources[0].Lost() == 0 {
					t.Errorf("%+v", result.Sources[0])
				}
				judge(t, f.Name(), got)
				if len(read(t, f.Name())) != got {
					t.Errorf("the file has not the %d packets counted", got)
				}
			})
		}
	}
}

// Somebody else's changes to the file are found.
func TestFileTakenAway(t *testing.T) {
	for want, harm := range map[error]func(path string) error{
		pcapwriter.ErrUnlinked:  os.Remove,
		pcapwriter.ErrTruncated: func(path string) error { return os.Truncate(path, 100) },
	} {
		w := newWire(t)
		f, out := newFile(t)
		c := direct.Config{Rings: w.open(t, afpacket.Config{}, 1), File: out}
		if _, err := run(t, c, func() {
			if err := harm(f.Name()); err != nil {
				t.Error(err)
			}
			w.send(t, burst(10, 100), 0)
		}); !errors.Is(err, want) {
			t.Errorf("error is %v, want %v", err, want)
		}
	}
}

// A file system without O_DIRECT is found out, and the file stays empty for
// whoever writes it otherwise.
func TestRefused(t *testing.T) {
	labtest.Need(t)
	dir := t.TempDir()
	if err := unix.Mount("ramfs", dir, "ramfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "out.pcapng")
	if err := direct.Probe(path); !errors.Is(err, direct.ErrRefused) {
		t.Errorf("probe says %v", err)
	}
	f, err := pcapwriter.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := direct.Create(f, header()); !errors.Is(err, direct.ErrRefused) {
		t.Errorf("create says %v", err)
	}
	if st, err := f.Stat(); err != nil || st.Size() != 0 {
		t.Errorf("%d bytes are left, %v", st.Size(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the probe left something: %v, %v", entries, err)
	}
}

// A header of any length fills whole pages and reads as it was given.
func TestHeader(t *testing.T) {
	for n := 3900; n < 4200; n++ {
		f, err := os.Create(filepath.Join(t.TempDir(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		h := header()
		h.Section.Comment = strings.Repeat("c", n)
		if _, err := direct.Create(f, h); err != nil {
			labtest.Skip(t, "needs O_DIRECT: "+err.Error())
		}
		st, err := f.Stat()
		f.Close()
		if err != nil || st.Size()%4096 != 0 || st.Size() > 3*4096 {
			t.Fatalf("comment of %d bytes: %d bytes, %v", n, st.Size(), err)
		}
		r := open(t, f.Name())
		if got := r.SectionInfo().Comment; got != h.Section.Comment || r.SectionInfo().Application != "test" {
			t.Fatalf("comment of %d bytes reads as one of %d", n, len(got))
		}
		if _, _, err := r.ReadPacketData(); err != io.EOF || r.NInterfaces() != 1 {
			t.Fatalf("comment of %d bytes: %v", n, err)
		}
	}
}

func open(t *testing.T, path string) *pcapgo.NgReader {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
