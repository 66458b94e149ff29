package peer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// built is a peer that is made by Build.
func built(name, path string, err error) Peer {
	return Peer{Name: name, Build: func(context.Context, string) (string, error) { return path, err }}
}

func TestChoose(t *testing.T) {
	all := []Peer{
		{Name: "a", Program: "/bin/sh"}, {Name: "b", Program: "no-such-program"},
		built("c", "/tmp/c", nil), built("d", "", errors.New("takes cgo")),
	}
	found, missing, err := Choose(t.Context(), all, nil, t.TempDir())
	if err != nil || len(found) != 2 || found[1].Program != "/tmp/c" {
		t.Errorf("found %+v, %v", found, err)
	}
	if len(missing) != 2 || !strings.HasPrefix(missing[0], "b: ") || missing[1] != "d: takes cgo" {
		t.Errorf("missing %q", missing)
	}
	found, missing, err = Choose(t.Context(), all, []string{"c"}, t.TempDir())
	if err != nil || len(found) != 1 || found[0].Name != "c" || missing != nil {
		t.Errorf("got %v, %q, %v", found, missing, err)
	}
	if _, _, err = Choose(t.Context(), all, []string{"e"}, t.TempDir()); err == nil {
		t.Error("no error for a peer that does not exist")
	}
	ours := built("icap", "", errors.New("does not compile"))
	ours.Ours = true
	if _, _, err = Choose(t.Context(), []Peer{ours}, nil, t.TempDir()); err == nil {
		t.Error("no error for one of ours that cannot be had")
	}
}

// fakeIcap is a program with a help of its own.
func fakeIcap(t *testing.T, help string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "icap")
	script := "#!/bin/sh\ncat <<'E'\n" + help + "\nE\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDirectIsThereOnceIcapOffersIt(t *testing.T) {
	for _, tt := range []struct {
		help string
		has  bool
	}{
		{"  -w, --output string    write pcapng to this file", false},
		{"      --write string     auto, direct or copy", true},
	} {
		list := List(fakeIcap(t, tt.help))
		if names := namesOf(list); !slices.Contains(names, Icap) || !slices.Contains(names, Direct) {
			t.Fatalf("peers are %q", names)
		}
		found, missing, err := Choose(t.Context(), list, []string{Icap, Direct}, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		want := []string{Icap}
		if tt.has {
			want = append(want, Direct)
		}
		if got := namesOf(found); !slices.Equal(got, want) || len(missing) != 2-len(want) {
			t.Errorf("%q: found %q, missing %q, want %q", tt.help, got, missing, want)
		}
		args := strings.Join(found[0].Args("cap0", "f"), " ")
		if strings.Contains(args, "--write copy") != tt.has {
			t.Errorf("%q: icap is called with %q", tt.help, args)
		}
	}
}

func namesOf(peers []Peer) []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.Name)
	}
	return names
}

func TestEveryPeerIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range List(fakeIcap(t, "--write string")) {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if p.Note == "" || p.Count == nil || p.Retire == 0 || p.Ring == 0 || (p.Program == "") == (p.Build == nil) {
			t.Errorf("%s lacks something: %+v", p.Name, p)
		}
		args := p.Args("cap0", "the-file")
		if !slices.Contains(args, "cap0") || !slices.Contains(args, "the-file") {
			t.Errorf("%s is called with %q", p.Name, args)
		}
	}
}
