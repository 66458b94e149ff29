package pods

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestArrivals(t *testing.T) {
	dir := t.TempDir()
	s := Scanner{Proc: "/proc", Netns: filepath.Join(dir, "netns"), PodLogs: filepath.Join(dir, "logs")}
	if f, err := s.Arrivals(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v, want %v", f, err, fs.ErrNotExist)
	}
	if err := os.Mkdir(s.Netns, 0o755); err != nil {
		t.Fatal(err)
	}
	half, err := s.Arrivals()
	if err != nil {
		t.Fatal(err)
	}
	half.Close()
	if err := os.Mkdir(s.PodLogs, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := s.Arrivals()
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(s.Netns, "cni-1")
	buf := make([]byte, 4096)
	for name, change := range map[string]func() error{
		"a pod":       func() error { return os.Mkdir(filepath.Join(s.PodLogs, "shop_web_1"), 0o755) },
		"a namespace": func() error { return errors.Join(os.WriteFile(made, nil, 0o600), os.Remove(made)) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if n, err := f.Read(buf); n == 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	ended := make(chan error)
	go func() {
		_, err := f.Read(buf)
		ended <- err
	}()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
