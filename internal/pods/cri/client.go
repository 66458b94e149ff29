//go:build cri

package cri

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Built says whether the program has the CRI.
const Built = true

// maxAnswer bounds a list, in bytes, as the kubelet does: annotations are in it.
const maxAnswer = 16 << 20

func list(ctx context.Context, socket string) ([]Sandbox, error) {
	// Only here is seen why there is no connection.
	refused := make(chan error, 1)
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err != nil {
			select {
			case refused <- err:
			default:
			}
		}
		return conn, err
	}
	conn, err := grpc.NewClient("passthrough:///runtime", grpc.WithContextDialer(dial), grpc.WithNoProxy(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return nil, err
	}
	answer, err := runtime.NewRuntimeServiceClient(conn).ListPodSandbox(ctx, &runtime.ListPodSandboxRequest{
		Filter: &runtime.PodSandboxFilter{State: &runtime.PodSandboxStateValue{State: runtime.PodSandboxState_SANDBOX_READY}},
	})
	if cerr := conn.Close(); err == nil && cerr != nil {
		return nil, cerr
	}
	if err != nil {
		return nil, reason(ctx, err, refused)
	}
	all := make([]Sandbox, 0, len(answer.Items))
	for _, s := range answer.Items {
		all = append(all, newSandbox(s))
	}
	return all, nil
}

// reason says why there is no answer, in as few words as are enough.
func reason(ctx context.Context, err error, refused <-chan error) error {
	select {
	case failed := <-refused:
		var op *net.OpError
		if errors.As(failed, &op) {
			return op.Err
		}
		return failed
	default:
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer: %w", context.Cause(ctx))
	case status.Code(err) == codes.Unimplemented:
		return errors.New("it does not speak version v1 of the CRI")
	}
	return errors.New(status.Convert(err).Message())
}

// newSandbox takes out of an answer what is wanted. What the kubelet adds to the
// labels is the names once more.
func newSandbox(s *runtime.PodSandbox) Sandbox {
	m := s.GetMetadata()
	labels := maps.Clone(s.GetLabels())
	maps.DeleteFunc(labels, func(key, _ string) bool { return strings.HasPrefix(key, "io.kubernetes.pod.") })
	return Sandbox{UID: m.GetUid(), Namespace: m.GetNamespace(), Name: m.GetName(), Labels: labels}
}
