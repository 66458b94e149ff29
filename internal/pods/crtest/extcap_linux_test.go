package crtest

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plugin puts icap into a folder as Wireshark's plug-in, with file capabilities
// as setcap(8) gives them, so that users without privileges can capture.
func (n *node) plugin() (dir string) {
	n.t.Helper()
	dir, err := os.MkdirTemp("", "icap-extcap")
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "icap")
	program, err := os.ReadFile(n.icap)
	if err == nil {
		err = os.WriteFile(path, program, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	const (
		revision2, effective = 0x02000000, 1 // of struct vfs_cap_data
		dacReadSearch        = 1 << 2
		netAdmin             = 1 << 12
		netRaw               = 1 << 13
		sysPtrace            = 1 << 19
		sysAdmin             = 1 << 21
	)
	data := binary.LittleEndian.AppendUint32(nil, revision2|effective)
	for _, v := range []uint32{dacReadSearch | netAdmin | netRaw | sysPtrace | sysAdmin, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	if err := syscall.Setxattr(path, "security.capability", data, 0); err != nil {
		n.t.Fatal(err)
	}
	return dir
}

// tshark runs as a user without privileges, with a folder of plug-ins.
func (n *node) tshark(dir string, args ...string) *exec.Cmd {
	const nobody = 65534
	cmd := exec.Command("tshark", args...)
	cmd.Env = append(os.Environ(), "WIRESHARK_EXTCAP_DIR="+dir, "HOME="+dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL,
	}
	return cmd
}

// testExtcap lets tshark find every pod, and capture two of them at once.
func testExtcap(t *testing.T, n *node, web, plain *pod) {
	dir := n.plugin()
	list, err := n.tshark(dir, "-D").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	for _, want := range []string{"icap-shop/web-0 (web-0.shop (sidecar))", "icap-plain (plain (plain))", "icap-host "} {
		if !strings.Contains(string(list), want) {
			t.Errorf("tshark -D has no %q:\n%s", want, list)
		}
	}
	var said bytes.Buffer
	shown := n.path("shown")
	out, err := os.Create(shown)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := n.tshark(dir, "-l", "-i", "icap-shop/web-0", "-f", "tcp port 8080", "-i", "icap-plain", "-f", "tcp port 8080",
		"-T", "fields", "-e", "frame.interface_name", "-e", "http.request.uri")
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		_ = cmd.Wait()                         // what it has shown tells
	}()
	wants := []string{"eth0:inbound-wire@web-0.shop\t/extcap", "lo:inbound-app@web-0.shop\t/extcap", "eth0:direct@plain\t/extcap"}
	for end := time.Now().Add(20 * time.Second); len(wants) > 0; {
		n.get("http://" + web.ip + ":8080/extcap")
		n.get("http://" + plain.ip + ":8080/extcap")
		time.Sleep(100 * time.Millisecond)
		text, err := os.ReadFile(shown)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), wants[0]) {
			wants = wants[1:]
		} else if time.Now().After(end) {
			t.Fatalf("tshark does not show %q:\n%s%s", wants[0], text, said.String())
		}
	}
}
