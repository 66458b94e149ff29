package crtest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestLabels finds pods by labels that only the runtime knows.
func TestLabels(t *testing.T) {
	n := newNode(t)
	web := n.newLabelled("web-0", map[string]string{"app": "web", "tier": "front"})
	db := n.newLabelled("db-0", map[string]string{"app": "db", "tier": "back"})
	n.newPod("other", "bare", false)
	t.Run("ls", func(t *testing.T) { n.in(t); testLabelsListed(t, n, web, db) })
	t.Run("capture", func(t *testing.T) { n.in(t); testLabelsChosen(t, n, web, db) })
	t.Run("commands", func(t *testing.T) { n.in(t); testLabelsInCommands(t, n) })
	t.Run("refusals", func(t *testing.T) { n.in(t); testLabelsRefused(t, n) })
	t.Run("join", func(t *testing.T) { n.in(t); testLabelsJoin(t, n, web) })
}

func (n *node) endpoint() string { return "--cri-socket=unix://" + n.path("c.sock") }

func testLabelsListed(t *testing.T, n *node, web, db *pod) {
	var rows []row
	if err := json.Unmarshal([]byte(n.run(n.icap, "ls", "-o", "json", n.endpoint())), &rows); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*pod{web, db} {
		i := slices.IndexFunc(rows, func(r row) bool { return r.UID == p.uid })
		if i < 0 || !reflect.DeepEqual(rows[i].Labels, p.labels) {
			t.Errorf("%s: not %v in %+v", p.name, p.labels, rows)
		}
	}
	if out := n.run(n.icap, "ls", "-o", "wide", n.endpoint()); !strings.Contains(out, "LABELS\n") || !strings.Contains(out, " app=db,tier=back\n") {
		t.Errorf("not wide enough:\n%s", out)
	}
	out := n.run(n.icap, "ls", "-o", "wide", "--cri-socket", n.path("none.sock"))
	if !strings.Contains(out, "icap: note: without labels: ") || !strings.Contains(out, "no such file") || !strings.Contains(out, "web-0 ") || strings.Contains(out, "LABELS") {
		t.Errorf("without a runtime:\n%s", out)
	}
	out = n.run(n.icap, "ls", "-o", "wide", "--cri-socket", silent(n))
	if !strings.Contains(out, "no answer: 1s are over") || !strings.Contains(out, "web-0 ") {
		t.Errorf("with one that does not answer:\n%s", out)
	}
}

// testLabelsChosen captures the pods that selectors of every form choose.
func testLabelsChosen(t *testing.T, n *node, web, db *pod) {
	for i, tt := range []struct {
		selector string
		want     []*pod
	}{
		{"app=web", []*pod{web}},
		{"app", []*pod{db, web}},
		{"app in (db,web),tier!=back", []*pod{web}},
		{"!tier", nil}, // and so chosen is the bare one
	} {
		c := n.capture(fmt.Sprintf("chosen%d", i), n.endpoint(), "label:"+tt.selector, "--")
		for _, p := range []*pod{web, db} {
			n.get("http://" + p.ip + ":8080/" + p.name)
		}
		c.end(syscall.SIGINT, 0)
		var want []string
		for _, p := range tt.want {
			want = append(want, "/"+p.name)
		}
		got, _ := c.paths("direct")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: captured %q, want %q\n%s", tt.selector, got, want, c.text())
		}
	}
}

// testLabelsInCommands takes them wherever a target is taken.
func testLabelsInCommands(t *testing.T, n *node) {
	for _, args := range [][]string{
		{"pod", "label:app", "--print-filters", n.endpoint()},
		{"gateway", "label:app", "--print-filters", n.endpoint()},
		{"flows", "label:app", "--duration", "100ms", n.endpoint()},
		{"events", "label:app", "--duration", "100ms", n.endpoint()},
	} {
		out := n.run(n.icap, args...)
		if !strings.Contains(out, "icap: web-0.shop (") || !strings.Contains(out, "icap: db-0.shop (") {
			t.Errorf("icap %s:\n%s", strings.Join(args, " "), out)
		}
	}
	if out := n.refused(1, "gateway", "label:app=nobody", "--print-filters", n.endpoint()); !strings.Contains(out, "no pod of this node is labelled so") {
		t.Error(out)
	}
	if out := n.refused(2, "gateway", "-i", "nowhere0", "label:app", "--print-filters", n.endpoint()); !strings.Contains(out, "label:app stands for 2 gateways") {
		t.Error(out)
	}
}

// silent is a socket that takes connections and says nothing.
func silent(n *node) string {
	n.t.Helper()
	dir, err := os.MkdirTemp(n.dir, "s")
	if err != nil {
		n.t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { l.Close() })
	return path
}

// refused runs icap, which exits with a code, and returns what it says.
func (n *node) refused(code int, args ...string) string {
	n.t.Helper()
	cmd := exec.Command(n.icap, args...)
	out, _ := cmd.CombinedOutput() // the code tells
	if got := cmd.ProcessState.ExitCode(); got != code {
		n.t.Errorf("icap %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

func testLabelsRefused(t *testing.T, n *node) {
	dead := silent(n) + "2"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: dead})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for name, tt := range map[string]struct {
		code int
		args []string
		want string
	}{
		"no such label":  {1, []string{"label:app=nobody", n.endpoint()}, "no pod of this node is labelled so; there are app=db, app=web, tier=back, tier=front"},
		"no selector":    {2, []string{"label:app=a b", n.endpoint()}, "cannot be the value of a label"},
		"dead socket":    {1, []string{"label:app=web", "--cri-socket", dead}, dead + " for pods: connect: connection refused"},
		"no socket":      {1, []string{"label:app=web", "--cri-socket", "/none.sock"}, "/none.sock: no such file or directory"},
		"silent socket":  {1, []string{"label:app=web", "--cri-socket", silent(n)}, "no answer: 5s are over"},
		"not an address": {1, []string{"label:app=web", "--cri-socket", "tcp://1.2.3.4:5"}, "not unix:///PATH"},
	} {
		if out := n.refused(tt.code, append([]string{"pod"}, tt.args...)...); !strings.Contains(out, tt.want) {
			t.Errorf("%s: not %q in\n%s", name, tt.want, out)
		}
	}
}

// testLabelsJoin starts pods while their labels are captured. Each joins before
// its app has sent anything. One that is gone is not waited for.
func testLabelsJoin(t *testing.T, n *node, web *pod) {
	c := n.captureInside("join", n.endpoint(), "label:app=web", "--follow")
	second := n.labelledSandbox("web-1", map[string]string{"app": "web"})
	c.await("listening on eth0@web-1.shop", 1)
	second.startApp()
	n.newLabelled("cache-0", map[string]string{"app": "cache"})
	second.remove()
	c.await("icap: web-1.shop is gone\n", 1)
	web.replace()
	c.await("listening on eth0@web-0.shop", 2)
	web.startApp()
	third := n.labelledSandbox("web-2", map[string]string{"app": "web"})
	c.await("listening on eth0@web-2.shop", 1)
	third.startApp()
	for _, p := range []*pod{web, third} {
		n.get("http://" + p.ip + ":8080/" + p.name)
	}
	c.end(syscall.SIGINT, 0)
	paths, _ := c.paths("direct")
	if want := []string{"/web-0", "/web-2"}; !slices.Equal(paths, want) {
		t.Errorf("captured %q, want %q", paths, want)
	}
	if got, want := c.greetings(), []string{"eth0:direct@web-1.shop", "eth0:direct@web-0.shop", "eth0:direct@web-2.shop"}; !slices.Equal(got, want) {
		t.Errorf("the first packets are on %q, want %q\n%s", got, want, c.text())
	}
}
