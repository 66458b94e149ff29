package measure

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestScratchRemovesStaleOnes(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "icap-bench-1")
	other := filepath.Join(dir, "other")
	for _, d := range []string{stale, other} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	first, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stale folder: %v", err)
	}
	for _, path := range []string{first.Path, second.Path, other} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*Scratch{first, second} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("closed folder: %v", err)
		}
	}
}
