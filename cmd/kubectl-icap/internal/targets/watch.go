package targets

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Watch tells of every pod that a query selects, once it is on a node and until
// it has ended, again whenever it begins to run: seen may be told of the same pod
// several times. It returns when the context ends. Watches that break are begun
// anew, for as long as it takes.
func (c *Cluster) Watch(ctx context.Context, queries []Query, seen func(*corev1.Pod)) {
	var mu sync.Mutex
	running := make(map[types.UID]bool)
	tell := func(q *Query, object any) {
		p, ok := object.(*corev1.Pod)
		if !ok || q.unfit(p) != "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		runs := p.Status.Phase == corev1.PodRunning
		if was, told := running[p.UID]; told && was == runs {
			return
		}
		running[p.UID] = runs
		seen(p)
	}
	forget := func(object any) {
		if p, ok := object.(*corev1.Pod); ok {
			mu.Lock()
			defer mu.Unlock()
			delete(running, p.UID)
		}
	}
	var watches sync.WaitGroup
	for i := range queries {
		q := &queries[i]
		_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
			ListerWatcher: c.listWatch(q),
			ObjectType:    &corev1.Pod{},
			Handler: cache.ResourceEventHandlerFuncs{
				AddFunc:    func(now any) { tell(q, now) },
				UpdateFunc: func(_, now any) { tell(q, now) },
				DeleteFunc: forget,
			},
		})
		watches.Go(func() { informer.RunWithContext(ctx) })
	}
	watches.Wait()
}

// listWatch asks for the pods of a query.
func (c *Cluster) listWatch(q *Query) *cache.ListWatch {
	pods, options := c.Core.Pods(q.Namespace), q.options()
	narrow := func(o *metav1.ListOptions) {
		o.LabelSelector, o.FieldSelector = options.LabelSelector, options.FieldSelector
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			narrow(&o)
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			narrow(&o)
			return pods.Watch(ctx, o)
		},
	}
}
