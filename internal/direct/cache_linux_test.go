package direct

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"icap/internal/lab/labtest"
)

// Blocks that pile up turn O_DIRECT off until few are left, unless it is off
// for good.
func TestRelieve(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := &File{f: f, fd: int(f.Fd())}
	if err := o.setDirect(true); err != nil {
		labtest.Skip(t, "needs a file system with O_DIRECT at TMPDIR: "+err.Error())
	}
	direct := func() bool {
		flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
		if err != nil {
			t.Fatal(err)
		}
		return flags&unix.O_DIRECT != 0
	}
	for i, step := range []struct {
		waiting, blocks int
		want            bool
	}{
		{1, 16, true}, {8, 16, true}, {9, 16, false}, {5, 16, false}, {3, 16, false}, {2, 16, true}, {8, 16, true},
		{16, 16, false}, {1, 16, true}, {1, 2, true}, {2, 2, false}, {1, 2, true}, {3, 4, false}, {2, 4, false}, {1, 4, true}, {9, 16, false},
	} {
		o.relieve(step.waiting, step.blocks)
		if direct() != step.want {
			t.Errorf("step %d: with %d of %d blocks waiting O_DIRECT is %v", i, step.waiting, step.blocks, !step.want)
		}
	}
	if err := o.keepCache(); err != nil {
		t.Fatal(err)
	}
	o.relieve(0, 16)
	if direct() {
		t.Error("O_DIRECT is on again")
	}
}
