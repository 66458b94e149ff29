package session

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"icap/cmd/kubectl-icap/internal/place"
	"icap/cmd/kubectl-icap/stream"
)

func TestCommand(t *testing.T) {
	p := new(corev1.Pod)
	p.UID = "0b5c"
	for name, tt := range map[string]struct {
		config Config
		seat   place.Seat
		want   string
	}{
		"pods": {Config{Command: []string{"pod", "--leg", "hbone"}, Expr: "tcp port 80", Joins: true, Follow: true}, place.Seat{},
			"/icap pod --leg hbone -w - --until-stdin-eof --until-stdin-silent 25s --duration 1m10s --no-progress --target uid:0b5c --join-stdin -- tcp port 80"},
		"gateways": {Config{Command: []string{"gateway"}, Follow: true}, place.Seat{},
			"/icap gateway -w - --until-stdin-eof --until-stdin-silent 25s --duration 1m10s --no-progress --target uid:0b5c"},
		"inside": {Config{Command: []string{"pod"}, Joins: true, Follow: true}, place.Seat{Inside: true},
			"/icap pod -w - --until-stdin-eof --until-stdin-silent 25s --duration 1m10s --no-progress --target self --as web-0.shop"},
		"on the node": {Config{Command: []string{"pod"}, OnNode: "/out/now-"}, place.Seat{},
			"/icap pod -w /out/now-node-1-1.pcapng --until-stdin-eof --until-stdin-silent 25s --duration 1m10s --no-progress --target uid:0b5c"},
	} {
		s := &Session{Config: tt.config, end: time.Now().Add(time.Minute)}
		n := newUnit(s, place.Unit{Name: "web-0.shop", Node: "node-1", Pods: []*corev1.Pod{p}})
		if got := strings.Join(n.command(tt.seat), " "); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, tt.want)
		}
	}
}

// TestLines shows what icap says on a node without its details, and without what
// could talk to a terminal, and explains by it why it has ended.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	l := &lines{session: &Session{Config: Config{Errs: &b}}, name: "node-1"}
	for _, part := range []string{"icap: web-0.shop (net:[4]): no proxy\nicap:   filter: tcp\nicap: sand", "box: all\n12 packets captured\nicap: \x1b[2Jgone\n"} {
		if _, err := l.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := b.String(), "icap: node-1: web-0.shop (net:[4]): no proxy\nicap: node-1: \\x1b[2Jgone\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	err := l.explain(&stream.ExitError{Code: 4})
	var exit *stream.ExitError
	if !errors.As(err, &exit) || !strings.HasSuffix(err.Error(), "; \\x1b[2Jgone") {
		t.Errorf("%v", err)
	}
	if l.explain(nil) != nil {
		t.Error("an error of none")
	}
}

// TestHopeless tells what is tried again from what is not.
func TestHopeless(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("use of closed network connection"), false},
		{&stream.ExitError{Code: 1}, false},
		{&stream.ExitError{Code: 2}, true},
		{&stream.ExitError{Code: 4}, true},
		{&place.Refusal{Where: "node n", Text: "ErrImagePull"}, true},
		{&place.Refusal{Where: "node n", Text: "refused", Err: errors.New("connect: connection refused")}, false},
	} {
		if got := hopeless(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}
