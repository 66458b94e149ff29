package crtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"testing"

	"k8s.io/client-go/rest"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"icap/cmd/kubectl-icap/stream"
)

// testExec streams out of an idle container, as kubectl icap does, through
// containerd's own server for streams: that takes SPDY, and refuses WebSocket.
func testExec(t *testing.T, n *node, p *pod) {
	n.run("nsenter", "-t", fmt.Sprint(n.pid), "-n", "ip", "link", "set", "lo", "up")
	p.mounts = []*cri.Mount{{ContainerPath: "/icap", HostPath: n.icap, Readonly: true}}
	p.container("seat", 0, "/icap", "wait", "--idle", "3s")

	c := &capture{t: t, file: n.path("exec.pcapng")}
	var out bytes.Buffer
	stdin, hold := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- n.exec(t.Context(), p, stream.Streams{Stdin: stdin, Stdout: &out, Stderr: c},
			"/icap", "pod", "self", "--as", "seated.shop", "-w", "-", "--until-stdin-eof", "--duration", "1m", "tcp port 8080")
	}()
	c.await("listening on eth0@seated.shop", 1)
	n.get("http://" + p.ip + ":8080/streamed")
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, c.text())
	}
	if err := os.WriteFile(c.file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.paths("direct"); !slices.Equal(got, []string{"/streamed"}) {
		t.Errorf("captured %q\n%s", got, c.text())
	}

	var exit *stream.ExitError
	if err := n.exec(t.Context(), p, stream.Streams{Stdout: io.Discard, Stderr: io.Discard}, "/icap", "pod", "self", "nonsense ("); !errors.As(err, &exit) || exit.Code != 2 {
		t.Errorf("%v, want exit code 2", err)
	}
	testExecAbandoned(t, n, p)
}

// testExecAbandoned lets a client go without a word. The capture ends, and then
// the seat.
func testExecAbandoned(t *testing.T, n *node, p *pod) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &capture{t: t}
	stdin, _ := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- n.exec(ctx, p, stream.Streams{Stdin: stdin, Stdout: io.Discard, Stderr: c}, "/icap", "pod", "self", "-w", "-", "--until-stdin-eof")
	}()
	c.await("listening on eth0@self", 1)
	cancel()
	if err := <-done; err == nil {
		t.Error("an abandoned stream has ended in order")
	}
	await(t, "the end of the seat", func() error {
		s, err := n.runtime.ContainerStatus(t.Context(), &cri.ContainerStatusRequest{ContainerId: p.containers["seat"]})
		if err == nil && s.Status.State != cri.ContainerState_CONTAINER_EXITED {
			err = errors.New(s.Status.State.String())
		}
		return err
	})
}

// exec runs a command in the seat of a pod.
func (n *node) exec(ctx context.Context, p *pod, s stream.Streams, command ...string) error {
	server := httptest.NewServer(n.kubelet(&cri.ExecRequest{
		ContainerId: p.containers["seat"], Cmd: command, Stdin: s.Stdin != nil, Stdout: true, Stderr: true,
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		return err
	}
	return stream.Run(ctx, &rest.Config{Host: at.Host}, at, s)
}

// kubelet does what the kubelet does with a request for a stream: it has
// containerd make an address, which can be used once, and passes all on to it.
func (n *node) kubelet(wanted *cri.ExecRequest) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) {},
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			err = n.ns.Do(func() (err error) {
				c, err = net.Dial(network, addr)
				return err
			})
			return c, err
		}},
		ErrorLog: log.New(io.Discard, "", 0), // a client that has gone is no news
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made, err := n.runtime.Exec(r.Context(), wanted)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if r.URL, err = url.Parse(made.Url); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
