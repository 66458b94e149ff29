package main

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// A keyLog is written by the lab while it is read.
type keyLog struct {
	mu    sync.Mutex
	lines []byte
}

func (k *keyLog) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines = append(k.lines, p...)
	return len(p), nil
}

func (k *keyLog) read() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.lines)
}

// TestKeyLog reads what the proxies said by mutual TLS of version 1.3.
func TestKeyLog(t *testing.T) {
	var log keyLog
	l := labtest.New(t, lab.Config{KeyLog: &log})
	dir := t.TempDir()
	p := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "--wire", "-w", dir+"/wire.pcapng"))
	for _, ask := range []func() (lab.Exchange, error){
		func() (lab.Exchange, error) { return l.Inbound(t.Context(), true, "/inbound-secret") },
		func() (lab.Exchange, error) { return l.OutboundMesh(t.Context(), "/outbound-secret") },
	} {
		if x, err := ask(); err != nil || x.Status != 200 {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != exitDone {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	if err := os.WriteFile(dir+"/keys", log.read(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := dir + "/readable.pcapng"
	said, err := icap(t, "read", dir+"/wire.pcapng", "--keylog", dir+"/keys", "-w", out).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "whoever has it can read what was encrypted") {
		t.Fatalf("%v\n%s", err, said)
	}
	for file, want := range map[string]string{dir + "/wire.pcapng": "", out: "/inbound-secret\n/outbound-secret\n"} {
		if got := output(t, "tshark", "-r", file, "-d", "tcp.port==8080,tls", "-d", "tls.port==8080,http", "-Y", "http.request", "-T", "fields", "-e", "http.request.uri"); got != want {
			t.Errorf("%s: requests %q, want %q", file, got, want)
		}
	}
	if st, err := os.Stat(out); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}
