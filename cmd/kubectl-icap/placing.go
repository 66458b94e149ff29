package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"icap/cmd/kubectl-icap/internal/place"
)

// placing are the flags that say how icap gets to the pods.
type placing struct {
	via         string
	namespace   string
	image       string
	pullSecret  string
	priority    string
	tolerations []string
	memory      string
	daemonSet   string
	netAdmin    bool
	onNode      string
}

// Values of --via.
const (
	viaJob       = "job"
	viaDaemonSet = "daemonset"
	viaDebug     = "debug"
)

func (p *placing) register(fs *pflag.FlagSet) {
	fs.StringVar(&p.via, "via", viaJob, "how to get to the pods: job (a Job on each node, for the time of the capture), daemonset (the one of deploy/daemonset.yaml) or debug (an ephemeral container in each pod)")
	fs.StringVar(&p.namespace, "capture-namespace", "icap", "namespace of the capture pods; Pod Security must allow them there")
	fs.StringVar(&p.image, "image", "docker.io/library/icap:"+version, "image of icap")
	fs.StringVar(&p.pullSecret, "image-pull-secret", "", "secret of the capture namespace to pull the image with")
	fs.StringVar(&p.priority, "priority-class", "", "priority class of the capture pods")
	fs.StringArrayVar(&p.tolerations, "toleration", nil, "tolerate only this taint, KEY[=VALUE][:EFFECT]; repeatable (default: all)")
	fs.StringVar(&p.memory, "memory-limit", "", "limit of each capture pod, such as 1Gi (default: by the rings)")
	fs.StringVar(&p.daemonSet, "daemonset-selector", "app=icap", "labels of the pods of --via daemonset")
	fs.StringVar(&p.onNode, "on-node", "", "with --via job: write on the nodes, and fetch at the end: emptyDir, or hostPath:/DIR or pvc:NAME, where the files stay")
	fs.BoolVar(&p.netAdmin, "net-admin", false, "with --via debug: add CAP_NET_ADMIN, for redirect rules and conntrack; Pod Security baseline does not admit it")
}

// placer makes what places, for a capture of some time with rings of some bytes.
func (p *placing) placer(c *clients, duration time.Duration, ring int64) (place.Placer, error) {
	plan := &place.Plan{
		Session: newSession(), Owner: owner(), Namespace: p.namespace, Image: p.image,
		PullSecret: p.pullSecret, PriorityClass: p.priority, Duration: duration, Ring: ring,
	}
	for _, text := range p.tolerations {
		t, err := parseToleration(text)
		if err != nil {
			return nil, err
		}
		plan.Tolerations = append(plan.Tolerations, t)
	}
	if p.memory != "" {
		var err error
		if plan.Memory, err = resource.ParseQuantity(p.memory); err != nil {
			return nil, usagef("--memory-limit %s: %w", p.memory, err)
		}
	}
	if p.onNode != "" {
		if p.via != viaJob {
			return nil, usagef("--on-node needs --via job, whose pods have the volume")
		}
		var err error
		if plan.Output, err = place.ParseOutput(p.onNode); err != nil {
			return nil, usagef("--on-node: %w", err)
		}
	}
	switch p.via {
	case viaJob:
		return &place.Jobs{Plan: plan, Batch: c.batch, Core: c.core}, nil
	case viaDaemonSet:
		return &place.DaemonSet{Namespace: p.namespace, Selector: p.daemonSet, Core: c.core}, nil
	case viaDebug:
		return &place.Debug{Plan: plan, Core: c.core, NetAdmin: p.netAdmin}, nil
	}
	return nil, usagef("--via %q is not job, daemonset or debug", p.via)
}

// newSession names a capture.
func newSession() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%x", b)
}

// owner is who captures, for those who find it in the cluster.
func owner() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// parseToleration reads KEY[=VALUE][:EFFECT].
func parseToleration(text string) (corev1.Toleration, error) {
	t := corev1.Toleration{Operator: corev1.TolerationOpExists}
	taint, effect, _ := strings.Cut(text, ":")
	key, value, equal := strings.Cut(taint, "=")
	t.Key, t.Value, t.Effect = key, value, corev1.TaintEffect(effect)
	if equal {
		t.Operator = corev1.TolerationOpEqual
	}
	switch t.Effect {
	case "", corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule:
	default:
		return t, usagef("--toleration %s: %q is not NoSchedule, PreferNoSchedule or NoExecute", text, effect)
	}
	if key == "" {
		return t, usagef("--toleration %s: a KEY is needed", text)
	}
	return t, nil
}
