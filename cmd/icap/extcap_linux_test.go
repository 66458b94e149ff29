package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// nobody is a user without privileges.
const nobody = 65534

// plugin puts the program into a folder that everybody can read, with the
// capabilities that capturing takes, as setcap(8) does.
func plugin(t *testing.T) (dir string) {
	t.Helper()
	dir = program(t)
	path := dir + "/icap"
	const revision2, effective = 0x02000000, 1 // of struct vfs_cap_data
	caps := uint32(1<<unix.CAP_NET_RAW | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_PTRACE)
	data := binary.LittleEndian.AppendUint32(nil, revision2|effective)
	for _, v := range []uint32{caps, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tshark runs as nobody, with icap as its plug-in.
func tshark(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		labtest.Skip(t, "needs tshark")
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "WIRESHARK_EXTCAP_DIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Dir = "/"
	return cmd
}

// TestExtcap lets tshark find a namespace, and capture in it with a filter.
func TestExtcap(t *testing.T) {
	w := newWire(t)
	dir := plugin(t)
	name := "icap-netns:" + w.b.String()
	list, err := tshark(t, dir, "-D").CombinedOutput()
	if err != nil || !strings.Contains(string(list), name+" (") {
		t.Fatalf("%v: no %s in\n%s", err, name, list)
	}
	if types, err := tshark(t, dir, "-i", name, "-L").CombinedOutput(); err != nil || !strings.Contains(string(types), "EN10MB") {
		t.Errorf("link types: %v\n%s", err, types)
	}
	var stdout, stderr bytes.Buffer
	cmd := tshark(t, dir, "-i", name, "-f", "udp port 9", "-c", "5", "-T", "fields", "-e", "udp.dstport", "-e", "frame.interface_name")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case err := <-done:
			want := strings.Repeat("9\tvb:direct@netns:"+w.b.String()+"\n", 5)
			if err != nil || stdout.String() != want {
				t.Errorf("%v\n%s%s", err, stdout.String(), stderr.String())
			}
			return
		case <-deadline:
			_ = cmd.Process.Kill()
			t.Fatalf("tshark does not end\n%s%s", stdout.String(), stderr.String())
		case <-time.After(50 * time.Millisecond):
			w.send(t, 1, 30) // until it captures
		}
	}
}

// TestExtcapModes has tshark choose what the interfaces of the capture are.
func TestExtcapModes(t *testing.T) {
	dir := plugin(t)
	w := newWire(t)
	name := "icap-netns:" + w.b.String()
	option := "extcap." + regexp.MustCompile("[^A-Za-z0-9]").ReplaceAllString(strings.ToLower(name), "_") + ".mode:"
	for mode, want := range map[string]string{"plain": "vb", "gateway": "vb:gateway-downstream"} {
		var stdout, stderr bytes.Buffer
		cmd := tshark(t, dir, "-i", name, "-o", option+mode, "-f", "tcp port 9", "-c", "1", "-T", "fields", "-e", "frame.interface_name")
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		for deadline := time.Now().Add(20 * time.Second); len(done) == 0; time.Sleep(50 * time.Millisecond) {
			_ = w.a.Do(func() error { // where nobody listens
				_, err := net.DialTimeout("tcp", "10.9.0.2:9", time.Second)
				return err
			})
			if time.Now().After(deadline) {
				_ = cmd.Process.Kill() // tells below what it had to say
			}
		}
		if err := <-done; err != nil || !strings.HasPrefix(stdout.String(), want) {
			t.Errorf("%s: %v, %q, not %s\n%s", mode, err, &stdout, want, &stderr)
		}
	}
}

// TestExtcapOptions has tshark choose stitching and a key log among the options
// that it is offered, in a pod with a sidecar.
func TestExtcapOptions(t *testing.T) {
	dir := plugin(t)
	log := &logFile{dir + "/keys.log"}
	l := labtest.New(t, lab.Config{Rules: lab.Today, KeyLog: log})
	// Wireshark has the user's rights, and so has its plug-in.
	if err := os.WriteFile(log.path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	name := "icap-netns:" + l.App.NS.String()
	option := "extcap." + regexp.MustCompile("[^A-Za-z0-9]").ReplaceAllString(strings.ToLower(name), "_") + "."
	shown, err := os.Create(temp(t, "shown"))
	if err != nil {
		t.Fatal(err)
	}
	defer shown.Close()
	cmd := tshark(t, dir, "-l", "-i", name, "-o", option+"stitch:true", "-o", option+"keylog:"+log.path,
		"-d", "tcp.port==8080,tls", "-d", "tls.port==8080,http",
		"-T", "fields", "-E", "separator=|", "-e", "frame.interface_name", "-e", "frame.comment", "-e", "http.request.uri")
	cmd.Stdout = shown
	p := start(t, nil, "Capture started", cmd)
	wants := []*regexp.Regexp{
		regexp.MustCompile(`(?m)^lo:outbound-app.*\|icap: captured as .*`),
		regexp.MustCompile(`(?m)^eth0:inbound-wire.*\|/inbound-secret$`),
	}
	deadline := time.Now().Add(30 * time.Second)
	for len(wants) > 0 {
		askSecretly(t, l)
		time.Sleep(100 * time.Millisecond)
		text, err := os.ReadFile(shown.Name())
		if err != nil {
			t.Fatal(err)
		}
		if wants[0].Match(text) {
			wants = wants[1:]
		} else if time.Now().After(deadline) {
			t.Fatalf("no %s in\n%s%s", wants[0], text, p.text())
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // what it has shown tells
}

// TestExtcapFailure ends tshark with what went wrong.
func TestExtcapFailure(t *testing.T) {
	w := newWire(t)
	cmd := tshark(t, plugin(t), "-i", "icap-netns:"+w.b.String(), "-f", "udp prot 9", "-c", "1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "did you mean") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestExtcapLog reads the messages for the logger of Wireshark's window, and
// ends the capture by a signal.
func TestExtcapLog(t *testing.T) {
	w := newWire(t)
	dir := t.TempDir()
	for _, name := range []string{"/fifo", "/log"} {
		if err := unix.Mkfifo(dir+name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := icap(t, "--capture", "--extcap-interface", "icap-netns:"+w.b.String(), "--fifo", dir+"/fifo", "--extcap-control-out", dir+"/log")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	fifo, err := os.Open(dir + "/fifo")
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	log, err := os.Open(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var said strings.Builder
	for !strings.Contains(said.String(), "filter:") {
		head := make([]byte, 6)
		if _, err := io.ReadFull(log, head); err != nil {
			t.Fatalf("%v after %q", err, said.String())
		}
		if head[0] != 'T' || head[4] != 0 || head[5] != 2 {
			t.Fatalf("message begins with %v", head)
		}
		if _, err := io.CopyN(&said, log, int64(head[2])<<8+int64(head[3])-2); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if file, err := io.ReadAll(fifo); err != nil || len(file) < 100 {
		t.Errorf("%d bytes, %v", len(file), err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestExtcapInstall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "extcap")
	for range 2 {
		if out := output(t, "icap", "extcap", "--install="+dir); !strings.Contains(out, dir+"/icap") {
			t.Errorf("%q", out)
		}
	}
	if out, err := exec.Command(dir+"/icap", "--extcap-interfaces", "--extcap-version=4.0").Output(); err != nil || !strings.Contains(string(out), "interface {value=icap-host}") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.Remove(dir + "/icap"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/icap", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := icap(t, "extcap", "--install="+dir).Run(); err == nil {
		t.Error("a file of that name was replaced")
	}
}
