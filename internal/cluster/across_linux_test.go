package cluster

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAcrossPods reads what icap has captured on two nodes: the two ends of one
// connection are joined, straight and through the NAT of kube-proxy, and who has
// reset it is certain.
func TestAcrossPods(t *testing.T) {
	apply(t, deployed(t, "daemonset.yaml"))
	kubectl(t, "rollout", "status", "-n", "icap", "daemonset/icap", "--timeout=25s")
	var files []string
	var streams []*stream
	for _, app := range []string{"web", "api"} {
		s := startStream(t, agentBeside(t, app), "pod", "shop/"+name(t, app), "-w", "-", "--duration", "1m", "--until-stdin-eof")
		streams, files = append(streams, s), append(files, s.file)
	}
	call(t, ServiceAPI, "/mesh")
	call(t, ServiceAPIPlain, "/plain")
	refused(t, ServiceAPIPlain, "/reset")
	time.Sleep(300 * time.Millisecond) // the rings retire, and the streams are on their way
	for _, s := range streams {
		s.end()
	}
	both := filepath.Join(t.TempDir(), "both.pcapng")
	offline(t, append([]string{"read", "-w", both}, files...)...)
	testJoined(t, offline(t, "flows", "-r", both, "--pairs"))
	testReset(t, offline(t, "events", "-r", both, "--only", "rst"))
}

// testJoined looks for pairs of the two wire legs in what icap flows --pairs
// prints.
func testJoined(t *testing.T, out string) {
	t.Helper()
	for _, want := range []string{
		`outbound-wire +\S+ +10\.244\.2\.\d+:8080 +inbound-wire .* certain +the same addresses`,
		`outbound-wire +\S+ +10\.96\.0\.81:80 +inbound-wire .* certain +through NAT`,
	} {
		if line := regexp.MustCompile(want).FindString(out); line == "" {
			t.Errorf("no pair %s in\n%s", want, excerpt(out))
		} else {
			say(t, "%s", line)
		}
	}
}

// testReset looks for the RST of api's app in what icap events prints.
func testReset(t *testing.T, out string) {
	t.Helper()
	say(t, "%s", out)
	if !regexp.MustCompile(`inbound-app@api\S* \S+ > \S+ RST by app \(certain\): aborted .* proxy of web\S+ then`).MatchString(out) {
		t.Errorf("nothing of the app of api, and of what became of it in web")
	}
}

// agentBeside is the pod of the DaemonSet on the node of an app.
func agentBeside(t *testing.T, app string) string {
	t.Helper()
	node := kubectl(t, "get", "pod", "-n", "shop", name(t, app), "-o", "jsonpath={.spec.nodeName}")
	return kubectl(t, "get", "pod", "-n", "icap", "--field-selector=spec.nodeName="+node, "-o", "jsonpath={.items[0].metadata.name}")
}

// name is the name of the one pod of an app.
func name(t *testing.T, app string) string {
	t.Helper()
	pod, _ := podOf(t, "app="+app)
	return pod
}

// refused lets web ask a service for a page that it does not get.
func refused(t *testing.T, service, path string) {
	t.Helper()
	_, web := podOf(t, "app=web")
	out, err := try(t, "get", "http://"+web+":8080/fetch?url=http://"+service+path)
	if err == nil || !strings.Contains(out, "502") {
		t.Fatalf("%s%s: %v\n%s", service, path, err, out)
	}
}

// offline runs icap on files and returns what it prints.
func offline(t *testing.T, args ...string) string {
	t.Helper()
	out, err := try(t, "icap-dev", args...)
	if err != nil {
		t.Fatalf("icap %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}
