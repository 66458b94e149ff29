package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// A logFile is a key log that comes into being when the first secret does, and
// in which not every line is one.
type logFile struct{ path string }

func (f *logFile) Write(p []byte) (int, error) {
	to, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	// A line comes in two writes, between strange ones.
	for _, part := range [][]byte{[]byte("# log\nroot:x:0:0\n"), p[:len(p)/2], p[len(p)/2:], []byte("\x1b[2J\n")} {
		if _, err := to.Write(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// uris are the HTTP requests that tshark sees in the proxies' TLS.
func uris(t *testing.T, file string) string {
	t.Helper()
	return output(t, "tshark", "-r", file, "-d", "tcp.port==8080,tls", "-d", "tls.port==8080,http", "-Y", "http.request", "-T", "fields", "-e", "http.request.uri")
}

// askSecretly makes a request on either side of the proxy.
func askSecretly(t *testing.T, l *lab.Lab) {
	t.Helper()
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), true, "/inbound-secret") },
		func() (lab.Exchange, error) { return l.OutboundMesh(t.Context(), "/outbound-secret") },
	} {
		if x, err := ask(); err != nil || x.Status != 200 {
			t.Fatalf("%+v, %v", x, err)
		}
	}
}

// TestKeyLogLive reads what the proxies say by mutual TLS of version 1.3 while
// they say it: out of files, of several legs and stitched, and out of a pipe.
// The log is another user's, and may be in the file system of another process.
func TestKeyLogLive(t *testing.T) {
	t.Parallel()
	const proxy = 1337
	dir := filepath.Join(t.TempDir(), "proxy")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, proxy, proxy)); err != nil {
		t.Fatal(err)
	}
	log := &logFile{dir + "/keys.log"}
	l := labtest.New(t, lab.Config{KeyLog: log})
	for _, more := range [][]string{{"--wire"}, {"--wire", "--stitch"}, {"--wire", "--keylog-delay", "3s"}} {
		file := temp(t, "live.pcapng")
		keys := log.path
		if slices.Contains(more, "--stitch") {
			keys = fmt.Sprintf("/proc/%d/root%s", os.Getpid(), keys)
		}
		args := slices.Concat([]string{"pod", "netns:" + l.App.Netns, "-w", file, "--keylog", keys}, more)
		p := start(t, nil, "NOTE: "+file+" gets the TLS secrets", icap(t, args...))
		askSecretly(t, l)
		if code := p.end(syscall.SIGTERM); code != exitDone || !strings.Contains(p.text(), "lines that are none were skipped") {
			t.Fatalf("exit code %d\n%s", code, p.text())
		}
		if got, want := uris(t, file), "/inbound-secret\n/outbound-secret\n"; got != want {
			t.Errorf("%v: requests %q, want %q\n%s", more, got, want, p.text())
		}
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", st.Mode(), err)
		}
		output(t, "icap", "check", file)
		if err := os.Chown(log.path, proxy, proxy); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeyLogPipe has tshark decrypt what comes through a pipe. The key log is a
// named pipe, too.
func TestKeyLogPipe(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("tshark")
	if err != nil {
		labtest.Skip(t, "needs tshark")
	}
	keys := filepath.Join(t.TempDir(), "keys.pipe")
	if err := syscall.Mkfifo(keys, 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := os.OpenFile(keys, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	l := labtest.New(t, lab.Config{KeyLog: to})
	p := icap(t, "pod", "netns:"+l.App.Netns, "--wire", "-w", "-", "--keylog", keys)
	stream, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var shown, said bytes.Buffer
	wireshark := exec.Command(path, "-i", "-", "-l", "-d", "tcp.port==8080,tls", "-d", "tls.port==8080,http", "-Y", "http.request", "-T", "fields", "-e", "http.request.uri")
	wireshark.Stdin, wireshark.Stdout, wireshark.Stderr = stream, &shown, &said
	capturing := start(t, nil, "NOTE: standard output gets", p)
	if err := wireshark.Start(); err != nil {
		t.Fatal(err)
	}
	askSecretly(t, l)
	_ = capturing.Process.Signal(syscall.SIGTERM)
	if err := wireshark.Wait(); err != nil || shown.String() != "/inbound-secret\n/outbound-secret\n" {
		t.Errorf("%v: requests %q\n%s%s", err, shown.String(), said.String(), capturing.text())
	}
	if code := capturing.end(0); code != exitDone {
		t.Errorf("exit code %d\n%s", code, capturing.text())
	}
}

// TestKeyLogRotation reads each file of a rotation alone: what has its
// beginning and its end in a file can be read.
func TestKeyLogRotation(t *testing.T) {
	t.Parallel()
	log := &logFile{filepath.Join(t.TempDir(), "keys.log")}
	l := labtest.New(t, lab.Config{KeyLog: log})
	dir := t.TempDir()
	p := start(t, nil, listening, icap(t, "pod", "netns:"+l.App.Netns, "--leg", "inbound-wire", "-C", "50k", "-w", dir+"/part", "--keylog", log.path, "--keylog-delay", "500ms"))
	const requests = 24
	for i := range requests {
		if x, err := l.Inbound(t.Context(), true, fmt.Sprintf("/%d", i)); err != nil || x.Status != 200 {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	files, err := filepath.Glob(dir + "/part*")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v\n%s", files, err, p.text())
	}
	whole, inParts := 0, 0
	for _, file := range files {
		begun, ended, readable := make(map[string]bool), make(map[string]bool), make(map[string]bool)
		for line := range strings.Lines(output(t, "tshark", "-r", file, "-d", "tcp.port==8080,tls", "-d", "tls.port==8080,http",
			"-T", "fields", "-e", "tcp.stream", "-e", "tcp.flags.syn", "-e", "tcp.flags.fin", "-e", "http.request.uri")) {
			field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			begun[field[0]] = begun[field[0]] || field[1] == "1"
			ended[field[0]] = ended[field[0]] || field[2] == "1"
			readable[field[0]] = readable[field[0]] || field[3] != ""
		}
		for stream := range begun {
			switch {
			case !begun[stream] || !ended[stream]:
				inParts++
			case !readable[stream]:
				t.Errorf("%s: stream %s cannot be read", file, stream)
			default:
				whole++
			}
		}
	}
	output(t, "icap", append([]string{"check"}, files...)...)
	if whole < requests/3 {
		t.Errorf("only %d of %d connections are in one file, %d parts in several", whole, requests, inParts)
	}
}

// TestStitchRotation parts a stitched capture into files that add up.
func TestStitchRotation(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	dir := t.TempDir()
	p := start(t, nil, listening, icap(t, "pod", "netns:"+l.App.Netns, "--stitch", "-C", "6k", "-w", dir+"/part"))
	for range 10 {
		askSecretly(t, l)
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	files, err := filepath.Glob(dir + "/part*")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v\n%s", files, err, p.text())
	}
	output(t, "icap", append([]string{"check"}, files...)...)
}

// TestKeyTail reads a log that grows, is cut, replaced and not nice.
func TestKeyTail(t *testing.T) {
	const path = "keys"
	t.Chdir(t.TempDir())
	secret := func(n int) string { return fmt.Sprintf("CLIENT_RANDOM %064x %096x\n", n, n) }
	write := func(flags int, text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	var k keyTail
	k.path = path
	expect := func(what, want string) {
		t.Helper()
		k.poll()
		if got := string(k.fresh(begin)); got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	expect("no file", "")
	write(0, secret(1)+secret(2)[:50])
	expect("half a line", secret(1))
	write(os.O_APPEND, secret(2)[50:])
	expect("the other half", secret(2))
	expect("nothing new", "")
	write(os.O_APPEND, "hello\n\n# remark\n"+strings.Repeat("A", 3*maxKeyLine)+"\n"+secret(3)+"CLIENT_RANDOM 00 00\n\xff\xfe\n")
	expect("between others", secret(3))
	if k.skipped != 4 {
		t.Errorf("%d lines were skipped, want 4", k.skipped)
	}
	write(os.O_TRUNC, secret(4))
	expect("cut", secret(4))
	write(os.O_APPEND, secret(5)+secret(6)[:120])
	expect("ahead of the next", secret(5))
	if err := os.Rename(path, "old"); err != nil {
		t.Fatal(err)
	}
	expect("moved away", "")
	write(0, secret(7))
	expect("replaced", secret(7))
	if k.skipped != 5 {
		t.Errorf("%d lines were skipped, want 5 with the broken one", k.skipped)
	}
	write(os.O_APPEND, strings.ReplaceAll(secret(8), "\n", "\r\n"))
	expect("of Windows", secret(8))
	if got := string(k.since(begin)); strings.Count(got, "\n") != 7 {
		t.Errorf("a new file gets %q", got)
	}
	many := strings.Repeat(secret(9), 3<<20/len(secret(9)))
	for range maxKeyLog/len(many) + 2 {
		write(os.O_APPEND, many)
		k.poll()
	}
	if k.size > maxKeyLog || k.lost == 0 {
		t.Errorf("%d bytes are kept, %d lines lost", k.size, k.lost)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := followKeyLog(path); err == nil {
		t.Error("a folder was taken")
	}
}
