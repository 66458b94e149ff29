package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// whole bounds the whole run, without the build of Kubernetes.
const whole = 20 * time.Minute

// shop is the cluster of all tests, with its workloads.
var shop *Cluster

// TestMain starts the cluster, or takes the one that is kept up in the directory
// that ICAP_CLUSTER names.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx := context.Background()
	var err error
	if dir := os.Getenv("ICAP_CLUSTER"); dir != "" {
		if shop, err = Attach(dir); err == nil {
			return m.Run()
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Getenv("ICAP_TEST_ROOT") != "1" {
		fmt.Println("no cluster is made: make test-cluster makes one")
		return 0
	}
	removeStale()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("%s%d", prefix, os.Getpid()))
	if shop, err = Start(ctx, dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	timer := time.AfterFunc(whole, func() {
		fmt.Fprintf(os.Stderr, "not over after %v\n", whole)
		_ = shop.Close() // the run fails anyway
		os.Exit(1)
	})
	defer timer.Stop()
	code := 1
	if err := shop.Deploy(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if code != 0 {
		shop.TellLogs(os.Stderr)
	}
	if err := shop.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// prefix is what the directories of test runs begin with; a PID follows.
const prefix = "icap-cluster"

// removeStale removes what runs have left that were killed.
func removeStale() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"[0-9]*"))
	for _, dir := range dirs {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
		if err != nil || syscall.Kill(pid, 0) == nil {
			continue
		}
		if err := Remove(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// patience bounds what a test waits for.
const patience = 30 * time.Second

// bounded is a context that ends when patience does, and serves what is done
// after a test as well.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// say tells in the output of the run what a test has seen.
func say(t *testing.T, format string, args ...any) {
	t.Helper()
	fmt.Fprintf(t.Output(), format+"\n", args...)
}

// try runs a command in the network of the control plane and returns all that
// it says.
func try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := shop.Command(bounded(t), name, args...).CombinedOutput()
	return string(out), err
}

// kubectl runs kubectl, which must succeed, and returns what is on its standard
// output.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := shop.Command(bounded(t), "kubectl", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// apply applies a manifest, and deletes what is in it when the test is over.
func apply(t *testing.T, manifest string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd := shop.Command(context.Background(), "kubectl", "delete", "--ignore-not-found", "--grace-period=1", "--timeout=30s", "-f", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("delete: %v\n%s", err, out)
		}
	})
	kubectl(t, "apply", "-f", file)
}

// deployed is a manifest of deploy/ with some of its words replaced.
func deployed(t *testing.T, name string, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(b), replace[i]) {
			t.Fatalf("%s: no %q in it", name, replace[i])
		}
	}
	return strings.NewReplacer(replace...).Replace(string(b))
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in %v: not %s", patience, what)
		}
	}
}

// podOf returns the name and the address of the one ready pod with a label.
func podOf(t *testing.T, selector string) (name, ip string) {
	t.Helper()
	kubectl(t, "wait", "pod", "-n", "shop", "-l", selector, "--for=condition=Ready", "--timeout=25s")
	out := kubectl(t, "get", "pod", "-n", "shop", "-l", selector, "--field-selector=status.phase=Running",
		"-o", "jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{\"\\n\"}{end}")
	if f := strings.Fields(out); len(f) == 2 {
		return f[0], f[1]
	}
	t.Fatalf("pods with %s: %q, want one", selector, out)
	return "", ""
}

// call lets web ask a service for a page.
func call(t *testing.T, service, path string) {
	t.Helper()
	_, web := podOf(t, "app=web")
	get(t, fmt.Sprintf("http://%s:8080/fetch?url=http://%s%s", web, service, path))
}

// traffic lets web ask a service for a page again and again, until stop is called,
// which returns how often it got an answer.
func traffic(t *testing.T, service, path string) (stop func() int) {
	t.Helper()
	_, web := podOf(t, "app=web")
	url := fmt.Sprintf("http://%s:8080/fetch?url=http://%s%s", web, service, path)
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			if shop.Command(ctx, "get", url).Run() == nil {
				n++
			}
			time.Sleep(250 * time.Millisecond)
		}
		answers <- n
	}()
	return func() int { cancel(); return <-answers }
}

// get asks for a page from outside of all pods.
func get(t *testing.T, url string) {
	t.Helper()
	if out, err := try(t, "get", url); err != nil {
		t.Fatalf("get %s: %v\n%s", url, err, out)
	}
}

// tshark returns the lines that tshark makes of a file.
func tshark(t *testing.T, file string, args ...string) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("tshark", append([]string{"-r", file}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark -r %s: %v\n%s", file, err, stderr.String())
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}
