package pods

import "context"

// AwaitEnd returns when no process of a pod is in its network namespace any
// more: when its sandbox is gone, not when a container is. The error is that
// of the context.
//
// It waits for the oldest of the processes, and then looks for others, once a
// second at most.
func (s Scanner) AwaitEnd(ctx context.Context, p *Pod) error { return s.awaitEnd(ctx, p) }
