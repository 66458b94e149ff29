package crtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A row is what icap ls -o json tells of a namespace.
type row struct {
	Target, Pod, Namespace, UID, Workload, Role, Mode string
	PID                                               int
	ProxyUIDs, ProxyPorts, AppPorts                   []int
	Containers                                        []string
	Interfaces                                        []struct {
		Name      string
		Addresses []string
	}
}

// ls runs icap ls, and returns its rows by target.
func (n *node) ls(icap string) map[string]row {
	n.t.Helper()
	var rows []row
	if err := json.Unmarshal([]byte(n.run(icap, "ls", "-o", "json")), &rows); err != nil {
		n.t.Fatal(err)
	}
	all := make(map[string]row)
	for _, r := range rows {
		all[r.Target] = r
	}
	return all
}

// TestPods finds, lists and captures pods of containerd.
func TestPods(t *testing.T) {
	n := newNode(t)
	icap := n.build("../../../cmd/icap")
	web := n.newPod("shop", "web-0", true)
	plain := n.newPod("other", "plain", false)

	all := n.ls(icap)
	r := all["shop/web-0"]
	if r.UID != web.uid || r.PID != web.pid || r.Workload != "deployment-of-web-0" || r.Role != "sidecar" || r.Mode != "REDIRECT" {
		t.Errorf("ls: %+v, want uid %s, pid %d, a sidecar by REDIRECT", r, web.uid, web.pid)
	}
	if !slices.Equal(r.ProxyUIDs, []int{1337}) || !slices.Equal(r.ProxyPorts, []int{15001, 15006, 15021, 15090}) || !slices.Equal(r.AppPorts, []int{8080}) {
		t.Errorf("ls: proxy uid %v, ports %v, app ports %v", r.ProxyUIDs, r.ProxyPorts, r.AppPorts)
	}
	ids := []string{web.sandbox, web.containers["app"], web.containers["istio-proxy"]}
	if len(r.Containers) != 3 || slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(r.Containers, id) }) {
		t.Errorf("ls: containers %v, want %v", r.Containers, ids)
	}
	if i := slices.IndexFunc(r.Interfaces, func(i struct {
		Name      string
		Addresses []string
	}) bool {
		return i.Name == "eth0"
	}); i < 0 || !slices.Contains(r.Interfaces[i].Addresses, web.ip+"/24") {
		t.Errorf("ls: interfaces %v, want eth0 with %s", r.Interfaces, web.ip)
	}
	if r := all["plain"]; r.UID != plain.uid || r.Role != "plain" || r.Mode != "" || !slices.Equal(r.AppPorts, []int{8080}) {
		t.Errorf("ls: %+v, want a plain pod %s", r, plain.uid)
	}
	_ = bytes.MinRead
	_ = exec.ErrDot
	_ = strings.Contains
	fmt.Println(n.run(icap, "ls"))
	n.get("http://" + web.ip + ":8080/x")
	web.restart("app", 1000, "/app")
	web.replace(true)
}
