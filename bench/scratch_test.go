package main

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
	first, err := newScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stale folder: %v", err)
	}
	for _, path := range []string{first.path, second.path, other} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*scratch{first, second} {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("closed folder: %v", err)
		}
	}
}
