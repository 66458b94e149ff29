package direct

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
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
		t.Skip(err) // ring tests say what is missing
	}
	direct := func() bool {
		flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
		if err != nil {
			t.Fatal(err)
		}
		return flags&unix.O_DIRECT != 0
	}
	for i, step := range []struct {
		waiting int
		want    bool
	}{{1, true}, {8, true}, {9, false}, {5, false}, {3, false}, {2, true}, {8, true}, {16, false}} {
		o.relieve(step.waiting, 16)
		if direct() != step.want {
			t.Errorf("step %d: with %d of 16 blocks waiting O_DIRECT is %v", i, step.waiting, !step.want)
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
