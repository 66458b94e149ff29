package direct

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"icap/afpacket"
	"icap/internal/lab/labtest"
	"icap/pcapwriter"
)

// Writing a block allocates nothing, whether it is in place, packed, or small.
func TestWriteBlockAllocatesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := Create(f, &pcapwriter.Header{Interfaces: []pcapwriter.Interface{{Name: "x", LinkType: 1}}})
	if err != nil {
		labtest.Skip(t, "needs a file system with O_DIRECT at TMPDIR: "+err.Error())
	}
	stage, err := newStage()
	if err != nil {
		t.Fatal(err)
	}
	defer stage.close()
	r := &run{config: &Config{File: out}, ledger: newLedger(out.size, []int{0}, 0)}
	w := &worker{run: r, stage: stage}
	for name, frames := range map[string][]frame{
		"small":    frames(20, 300),
		"packed":   frames(2000, 60),
		"in place": frames(200, 1400),
	} {
		fresh := build(fitting(frames), frames...)
		mem := bytes.Clone(fresh)
		if got := testing.AllocsPerRun(10, func() {
			copy(mem, fresh)
			b := afpacket.BlockOf(mem)
			if err := w.writeBlock(&b); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s: %v allocations a block", name, got)
		}
	}
	if size, err := r.ledger.end(); err != nil || size < 11*280000 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

func frames(n, size int) (all []frame) {
	for i := range n {
		all = append(all, frame{time: int64(i), data: content(size, i)})
	}
	return all
}
