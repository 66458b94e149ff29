package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"icap/cmd/kubectl-icap/internal/place"
)

// Streams are those of a process in a seat.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// An ExitError is a process that has ended with a code other than 0.
type ExitError struct{ Code int }

// Error tells the code.
func (e *ExitError) Error() string { return fmt.Sprintf("icap has ended with exit code %d", e.Code) }

// Exec runs a command in a seat until it ends or the context does; see Run.
func Exec(ctx context.Context, config *rest.Config, client rest.Interface, seat place.Seat, command []string, s Streams) error {
	request := client.Post().Resource("pods").Namespace(seat.Namespace).Name(seat.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: seat.Container, Command: command, Stdin: s.Stdin != nil, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	return Run(ctx, config, request.URL(), s)
}

// Run connects to a process that the server has by an address, as the API server
// or a container runtime does, until it ends or the context does. The error is an
// *ExitError if the process has ended in its own way; any other one is about the
// stream, which may have broken.
func Run(ctx context.Context, config *rest.Config, at *url.URL, s Streams) error {
	spdy, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, at)
	if err != nil {
		return err
	}
	socket, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, at.String())
	if err != nil {
		return err
	}
	either, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return err
	}
	err = either.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr})
	var code exec.CodeExitError
	if errors.As(err, &code) {
		return &ExitError{code.Code}
	}
	return err
}
