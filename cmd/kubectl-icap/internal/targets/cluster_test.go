package targets

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	apps "k8s.io/client-go/kubernetes/typed/apps/v1/fake"
	batch "k8s.io/client-go/kubernetes/typed/batch/v1/fake"
	core "k8s.io/client-go/kubernetes/typed/core/v1/fake"

	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
)

// fakeCluster has objects, and an API server that knows labels and the field
// metadata.name.
func fakeCluster(t *testing.T, objects ...runtime.Object) (*Cluster, clienttesting.ObjectTracker) {
	t.Helper()
	tracker := clienttesting.NewObjectTracker(scheme.Scheme, scheme.Codecs.UniversalDecoder())
	for _, o := range objects {
		if err := tracker.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	f := &clienttesting.Fake{}
	f.AddReactor("*", "*", clienttesting.ObjectReaction(tracker))
	f.AddWatchReactor("*", func(a clienttesting.Action) (bool, watch.Interface, error) {
		w, err := tracker.Watch(a.GetResource(), a.GetNamespace())
		return true, w, err
	})
	f.PrependReactor("list", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		found, err := tracker.List(a.GetResource(), corev1.SchemeGroupVersion.WithKind("Pod"), a.GetNamespace())
		if err != nil {
			return true, nil, err
		}
		wanted := a.(clienttesting.ListAction).GetListRestrictions()
		list := found.(*corev1.PodList)
		list.Items = slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
			return wanted.Fields != nil && !wanted.Fields.Matches(fields.Set{metav1.ObjectNameField: p.Name})
		})
		return true, list, nil
	})
	return &Cluster{&core.FakeCoreV1{Fake: f}, &apps.FakeAppsV1{Fake: f}, &batch.FakeBatchV1{Fake: f}}, tracker
}

func pod(namespace, name, node string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-" + name), Labels: labels},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0." + node[len(node)-1:]}}},
	}
}

func shop() []runtime.Object {
	web, ended := map[string]string{"app": "web"}, pod("shop", "web-old", "node-1", map[string]string{"app": "web"})
	ended.Status.Phase = corev1.PodFailed
	return []runtime.Object{
		pod("shop", "web-0", "node-1", web), pod("shop", "web-1", "node-2", web), ended,
		pod("shop", "db-0", "node-2", map[string]string{"app": "db"}),
		pod("edge", "gw-7d", "node-1", map[string]string{"istio": "ingress"}),
		pod("edge", "gw-8e", "node-3", map[string]string{gatewayLabels[0]: "public"}),
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: web}}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "db"}, ClusterIPs: []string{"10.96.0.9"}}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "outside"}, Spec: corev1.ServiceSpec{ClusterIPs: []string{"None"}}},
	}
}

func TestFind(t *testing.T) {
	c, _ := fakeCluster(t, shop()...)
	for text, want := range map[string]string{
		"shop/web-0":           "node-1:web-0",
		"shop/deploy/web":      "node-1:web-0 node-2:web-1",
		"shop/svc/db":          "node-2:db-0",
		"edge/gateway/ingress": "node-1:gw-7d",
		"edge/gateway/public":  "node-3:gw-8e",
		"shop/web-old":         "has ended",
		"shop/web-9":           "kubectl get pods -n shop lists them",
		"shop/deploy/none":     "not found",
		"shop/svc/outside":     "no selector",
		"shop/gateway/none":    "no pod of namespace shop",
	} {
		if got := found(t, c, text); got != want && (strings.Contains(want, ":") || !strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	all, err := Selected("", "app in (web,db)")
	if err != nil {
		t.Fatal(err)
	}
	pods, left, err := c.Find(t.Context(), []Query{all, all})
	if len(pods) != 3 || len(left) != 1 || left[0].Pod.Name != "web-old" || err != nil {
		t.Errorf("%d pods, %d left out, %v", len(pods), len(left), err)
	}
	if _, err := Selected("", "app in"); err == nil {
		t.Error("app in is a selector")
	}
}

// found is what a target stands for: NODE:POD, or the error.
func found(t *testing.T, c *Cluster, text string) string {
	t.Helper()
	target, err := Parse(text, "default", Pod)
	if err != nil {
		t.Fatal(err)
	}
	q, err := c.Query(t.Context(), target)
	if err != nil {
		return err.Error()
	}
	pods, _, err := c.Find(t.Context(), []Query{q})
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, p := range pods {
		names = append(names, p.Spec.NodeName+":"+p.Name)
	}
	return strings.Join(names, " ")
}

// TestWatch tells of a pod when it is on a node, and again when it runs.
func TestWatch(t *testing.T) {
	c, tracker := fakeCluster(t, shop()...)
	q, err := Selected("shop", "app=db")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 10)
	var watching sync.WaitGroup
	watching.Go(func() {
		c.Watch(ctx, []Query{q}, func(p *corev1.Pod) { seen <- p.Name + " " + string(p.Status.Phase) })
	})
	if got := <-seen; got != "db-0 Running" {
		t.Errorf("first %s", got)
	}
	pods := corev1.SchemeGroupVersion.WithResource("pods")
	next := pod("shop", "db-1", "node-1", map[string]string{"app": "db"})
	next.Status.Phase, next.Spec.NodeName = corev1.PodPending, ""
	if err := tracker.Create(pods, next.DeepCopy(), "shop"); err != nil {
		t.Fatal(err)
	}
	for _, phase := range []corev1.PodPhase{corev1.PodPending, corev1.PodRunning} {
		next.Spec.NodeName, next.Status.Phase = "node-1", phase
		for range 2 { // what changes nothing is not told
			if err := tracker.Update(pods, next.DeepCopy(), "shop"); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := <-seen, "db-1 "+string(phase); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	cancel()
	watching.Wait()
	if len(seen) > 0 {
		t.Errorf("told once more: %s", <-seen)
	}
}

func TestNames(t *testing.T) {
	c, _ := fakeCluster(t, append(shop(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-1"},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "172.30.0.11"}, {Type: corev1.NodeHostName, Address: "node-1"}}},
	})...)
	names, err := c.Names(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, n := range names {
		got[n.Addr.String()] = n.Names[0]
	}
	// Several pods of the test share the addresses of node-1 and node-2.
	want := map[string]string{"172.30.0.11": "node-1", "10.96.0.9": "db.shop.svc", "10.0.0.3": "gw-8e.edge"}
	for addr, name := range want {
		if got[addr] != name {
			t.Errorf("%s is %q, want %q", addr, got[addr], name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("names %v, want %v", got, want)
	}
}
