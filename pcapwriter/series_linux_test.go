package pcapwriter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func newSeries(t *testing.T, force bool) (*Series, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := OpenSeries(dir, force)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// writeMember writes a file of some packets and closes it.
func writeMember(t *testing.T, s *Series, name string, own fs.FileInfo, packets int) fs.FileInfo {
	t.Helper()
	f, err := s.Create(name, own)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, testHeader(), Config{BatchSize: 5000})
	if err != nil {
		t.Fatal(err)
	}
	for range packets {
		if err := w.WritePacket(&Packet{Data: udpFrame(900)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteStatistics(&Statistics{}); err != nil {
		t.Fatal(err)
	}
	want := w.Size()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := size(t, f); got != int64(want) || w.Stats().Bytes != want {
		t.Errorf("%s has %d bytes, want %d, stats are %+v", name, got, want, w.Stats())
	}
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fi
}

// TestSeriesOverwrites: the file stays the same one, and ends where the new
// content does, be it shorter or longer.
func TestSeriesOverwrites(t *testing.T) {
	s, dir := newSeries(t, false)
	var own fs.FileInfo
	for _, n := range []int{20, 3, 0, 9} {
		fi := writeMember(t, s, "x", own, n)
		if own != nil && !os.SameFile(own, fi) {
			t.Error("the file was made anew")
		}
		own = fi
		judgeFile(t, filepath.Join(dir, "x"), uint64(n))
	}
}

// TestSeriesFault: what is left of the old content goes with the torn block.
func TestSeriesFault(t *testing.T) {
	s, dir := newSeries(t, false)
	own := writeMember(t, s, "x", nil, 50)
	f, err := s.Create("x", own)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(f, testHeader(), Config{BatchSize: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := w.WritePacket(&Packet{Data: udpFrame(900)}); err != nil {
			t.Fatal(err)
		}
	}
	if size(t, f) != own.Size() {
		t.Error("the file was emptied")
	}
	w.fail(outcome{err: syscall.EIO})
	if err := w.err.(*WriteError); err.Torn || size(t, f) != int64(w.Stats().Bytes) {
		t.Errorf("%v: %d bytes, stats are %+v", err, size(t, f), w.Stats())
	}
	f.Close()
	judgeFile(t, filepath.Join(dir, "x"), 9) // three batches
}

func TestSeriesRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(t *testing.T, path string)
		force bool
		own   bool
		want  error
	}{
		{"existing", content, false, false, fs.ErrExist},
		{"another's at its own place", content, false, true, fs.ErrExist},
		{"symlink", symlinkToFile, true, false, syscall.ELOOP},
		{"symlink at its own place", symlinkToFile, true, true, syscall.ELOOP},
		{"directory", mkdir, true, false, syscall.EISDIR},
		{"named pipe", mkfifo, true, false, ErrNotRegular},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := newSeries(t, test.force)
			path := filepath.Join(dir, "x")
			var own fs.FileInfo
			if test.own {
				own = writeMember(t, s, "x", nil, 1)
				if err := os.Rename(path, path+".own"); err != nil {
					t.Fatal(err)
				}
			}
			test.make(t, path)
			_, err := s.Create("x", own)
			var e *fs.PathError
			if !errors.Is(err, test.want) || !errors.As(err, &e) || e.Path != path {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if err := s.Exists("x"); !errors.Is(err, fs.ErrExist) != test.force {
				t.Errorf("Exists: %v", err)
			}
		})
	}
}

// TestSeriesDirectoryMoves: the files go into the directory that was opened.
func TestSeriesDirectoryMoves(t *testing.T) {
	s, dir := newSeries(t, false)
	moved := dir + ".moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(moved) })
	writeMember(t, s, "x", nil, 2)
	judgeFile(t, filepath.Join(moved, "x"), 2)
}
