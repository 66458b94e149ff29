package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"icap/internal/pods"
)

// TestBell rings for a file where CNI plugins make them.
func TestBell(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var b bell
	var watching sync.WaitGroup
	b.hang(pods.Scanner{Netns: dir, PodLogs: dir})
	b.listen(ctx, &watching)
	look := b.newPace()
	if err := os.WriteFile(filepath.Join(dir, "cni-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !look.wait(ctx, time.Hour) {
		t.Error("the wait has ended, not the time")
	}
	cancel()
	watching.Wait()
}
