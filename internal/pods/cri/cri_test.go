package cri

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	there := []string{"/run/crio/crio.sock", "/var/run/cri-dockerd.sock", "/own.sock"}
	reach := func(path string) (string, error) {
		if slices.Contains(there, path) {
			return "/host" + path, nil
		}
		return "", &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
	}
	for endpoint, want := range map[string]string{
		"":                 "/host/run/crio/crio.sock",
		"/own.sock":        "/host/own.sock",
		"unix:///own.sock": "/host/own.sock",
	} {
		if got, err := Find(endpoint, reach); got != want || err != nil {
			t.Errorf("%q: %s, %v, want %s", endpoint, got, err, want)
		}
	}
	for _, endpoint := range []string{"tcp://10.0.0.1:1", "own.sock", "unix://own.sock"} {
		if got, err := Find(endpoint, reach); err == nil || !strings.Contains(err.Error(), "not unix:///PATH") {
			t.Errorf("%q: %s, %v", endpoint, got, err)
		}
	}
	there = nil
	for _, endpoint := range []string{"", "/own.sock"} {
		if got, err := Find(endpoint, reach); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %s, %v, want %v", endpoint, got, err, fs.ErrNotExist)
		}
	}
}
