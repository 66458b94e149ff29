package pcapwriter

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// content makes a file that holds something already.
func content(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCreateNew(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	f := tempFile(t)
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fi.Mode(), fs.FileMode(0o600); got != want {
		t.Errorf("mode is %v, want %v", got, want)
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(t *testing.T, path string)
		force bool
		want  error
	}{
		{"existing", content, false, fs.ErrExist},
		{"symlink", symlinkToFile, false, syscall.ELOOP},
		{"symlink by force", symlinkToFile, true, syscall.ELOOP},
		{"dangling symlink", danglingSymlink, true, syscall.ELOOP},
		{"directory", mkdir, true, syscall.EISDIR},
		{"socket", listen, true, ErrNotRegular},
		{"named pipe without reader", mkfifo, false, ErrNoReader},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			test.make(t, path)
			f, err := Create(path, test.force)
			if f != nil {
				f.Close()
			}
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			var e *fs.PathError
			if !errors.As(err, &e) || e.Path != path {
				t.Errorf("error %v does not name %s", err, path)
			}
			if b, err := os.ReadFile(path + ".target"); err == nil && string(b) != "precious" {
				t.Errorf("the target of the link now holds %q", b)
			}
		})
	}
}

func symlinkToFile(t *testing.T, path string) {
	content(t, path+".target")
	danglingSymlink(t, path)
}

func danglingSymlink(t *testing.T, path string) {
	if err := os.Symlink(path+".target", path); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func mkfifo(t *testing.T, path string) {
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T, path string) {
	// A short name, since the address of a socket has room for 108 bytes.
	t.Chdir(filepath.Dir(path))
	l, err := net.Listen("unix", filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

func TestCreateDevice(t *testing.T) {
	if _, err := Create(os.DevNull, true); !errors.Is(err, ErrNotRegular) {
		t.Errorf("error is %v, want %v", err, ErrNotRegular)
	}
}

func TestCreateMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "x")
	if _, err := Create(path, true); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want %v", err, fs.ErrNotExist)
	}
}

func TestCreateForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	content(t, path)
	f, err := Create(path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if fi.Size() != 0 || fi.Mode() != 0o600 {
		t.Errorf("the file has %d bytes and mode %v, want none and %v", fi.Size(), fi.Mode(), fs.FileMode(0o600))
	}
}

// TestCreateInUse: a second capture cannot take the file of a running one.
func TestCreateInUse(t *testing.T) {
	first := tempFile(t)
	if _, err := first.WriteString("running"); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(first.Name(), true); !errors.Is(err, ErrInUse) {
		t.Errorf("error is %v, want %v", err, ErrInUse)
	}
	if got := size(t, first); got != 7 {
		t.Errorf("the file has %d bytes now", got)
	}
	first.Close()
	second, err := Create(first.Name(), true)
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	second.Close()
}

func TestCreateNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	mkfifo(t, path)
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, testHeader(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WritePacket(&Packet{Data: udpFrame(1)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := r.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := gopacketRead(t, b[:n]); len(got) != 1 {
		t.Errorf("gopacket reads %d packets, want 1", len(got))
	}
}
