package peer

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"icap/bench/internal/check"
)

// A Peer is a program to measure.
type Peer struct {
	Name string
	// Note says in the report what the name does not.
	Note string
	// Program is looked up in PATH, if it has no slash.
	Program string
	// Build makes the program in a folder, if there is none to look up.
	Build func(ctx context.Context, dir string) (path string, err error)
	// Args are the arguments for capturing on an interface into a file until
	// SIGTERM comes.
	Args func(ifname, file string) []string
	// Many are the arguments for capturing on all interfaces, with a ring
	// for each. Nil means that the program has no such thing.
	Many func(file string) []string
	// Format reads the file back. Nil means that none is written, and that
	// the program's own count has to be believed.
	Format check.Format
	// Count reads what the program says at its end.
	Count func(words string) (Counts, error)
	// Retire is how long a packet may lie in the ring before the program
	// gets it, so how long to wait after the last one.
	Retire time.Duration
	// Ring is the size of its ring in bytes.
	Ring int64
	// Version are the arguments that make the program tell its version.
	Version []string
	// Module is what a program in Go is built on, whose version matters.
	Module string
	// Ours are icap and the baselines: what is wrong with them is wrong with
	// this repository.
	Ours bool
	// Garbage is set for programs whose runtime collects garbage and can
	// tell of it.
	Garbage bool
}

// Choose returns the peers that are named and can be had, in their own order,
// and says for each of the others why not. What has to be built is built in a
// folder. No names means all. That one of ours cannot be had is an error.
func Choose(ctx context.Context, all []Peer, names []string, dir string) (found []Peer, missing []string, err error) {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p Peer) bool { return p.Name == name }) {
			return nil, nil, fmt.Errorf("no peer is called %q", name)
		}
	}
	for _, p := range all {
		if len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		path, err := p.find(ctx, dir)
		if err != nil && p.Ours && ctx.Err() == nil {
			return nil, nil, err
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", p.Name, err))
			continue
		}
		p.Program = path
		found = append(found, p)
	}
	return found, missing, ctx.Err()
}

func (p *Peer) find(ctx context.Context, dir string) (string, error) {
	if p.Build != nil {
		return p.Build(ctx, dir)
	}
	return exec.LookPath(p.Program)
}

// Describe is the note of a peer with its version.
func (p *Peer) Describe() string {
	if v := p.version(); v != "" {
		return p.Note + " (" + v + ")"
	}
	return p.Note
}

// version is the first line of what the program says about its version, or
// the version of the module that it is built on.
func (p *Peer) version() string {
	if p.Version != nil {
		// Some end with an error after telling their version.
		out, _ := exec.Command(p.Program, p.Version...).CombinedOutput()
		line, _, _ := strings.Cut(string(out), "\n")
		return strings.TrimSpace(line)
	}
	info, err := buildinfo.ReadFile(p.Program)
	if err != nil || p.Module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == p.Module {
			return m.Path + " " + m.Version
		}
	}
	return ""
}
