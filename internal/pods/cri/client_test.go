//go:build cri

package cri

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A fake is a runtime with some pods.
type fake struct {
	runtime.UnimplementedRuntimeServiceServer
	pods []*runtime.PodSandbox
}

func (f *fake) ListPodSandbox(_ context.Context, r *runtime.ListPodSandboxRequest) (*runtime.ListPodSandboxResponse, error) {
	answer := new(runtime.ListPodSandboxResponse)
	for _, p := range f.pods {
		if p.State == r.GetFilter().GetState().GetState() {
			answer.Items = append(answer.Items, p)
		}
	}
	return answer, nil
}

// socket is a short path for one.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cri")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

// serve answers as a runtime does until the test ends.
func serve(t *testing.T, r runtime.RuntimeServiceServer) string {
	t.Helper()
	l, path := listen(t)
	s := grpc.NewServer(grpc.MaxSendMsgSize(1 << 30))
	runtime.RegisterRuntimeServiceServer(s, r)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return path
}

func sandbox(name string, state runtime.PodSandboxState, labels map[string]string) *runtime.PodSandbox {
	return &runtime.PodSandbox{
		Id: "id-of-" + name, State: state, Labels: labels,
		Metadata: &runtime.PodSandboxMetadata{Uid: "uid-of-" + name, Namespace: "shop", Name: name},
	}
}

func TestList(t *testing.T) {
	path := serve(t, &fake{pods: []*runtime.PodSandbox{
		sandbox("web", runtime.PodSandboxState_SANDBOX_READY, map[string]string{"app": "web", "io.kubernetes.pod.name": "web"}),
		sandbox("old", runtime.PodSandboxState_SANDBOX_NOTREADY, map[string]string{"app": "web"}),
		sandbox("bare", runtime.PodSandboxState_SANDBOX_READY, nil),
	}})
	got, err := List(t.Context(), path)
	want := []Sandbox{
		{UID: "uid-of-web", Namespace: "shop", Name: "web", Labels: map[string]string{"app": "web"}},
		{UID: "uid-of-bare", Namespace: "shop", Name: "bare"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestListLarge(t *testing.T) {
	f := new(fake)
	for range 1000 {
		p := sandbox("web", runtime.PodSandboxState_SANDBOX_READY, nil)
		p.Annotations = map[string]string{"sidecar.istio.io/status": strings.Repeat("x", 8<<10)}
		f.pods = append(f.pods, p)
	}
	if got, err := List(t.Context(), serve(t, f)); len(got) != 1000 || err != nil {
		t.Errorf("%d pods, %v", len(got), err)
	}
}

func TestListFailures(t *testing.T) {
	dead, deadPath := listen(t)
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	_, silent := listen(t)
	for name, tt := range map[string]struct{ path, want string }{
		"nothing there":           {socket(t), "no such file"},
		"nobody listens":          {deadPath, "connection refused"},
		"no answer":               {silent, "no answer: "},
		"not the runtime's":       {serve(t, runtime.UnimplementedRuntimeServiceServer{}), "does not speak version v1"},
		"a path that is too long": {"/" + strings.Repeat("a", 200), "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the time is over"))
			defer cancel()
			got, err := List(ctx, tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.path) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v, want %s", got, err, tt.want)
			}
		})
	}
}
