//go:build !linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func awaitIdle(context.Context, time.Duration) error {
	return fmt.Errorf("wait --idle: %w", errors.ErrUnsupported)
}
