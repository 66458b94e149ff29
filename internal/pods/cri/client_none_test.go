//go:build !cri

package cri

import (
	"errors"
	"testing"
)

func TestNotBuilt(t *testing.T) {
	if all, err := List(t.Context(), "/none"); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("%v, %v, want %v", all, err, ErrNotBuilt)
	}
}
