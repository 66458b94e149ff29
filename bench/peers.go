package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ringMiB is the size of the ring of every program, so that none loses what
// another one has room for.
const ringMiB = 64

// A peer is a program to measure.
type peer struct {
	name string
	// note says in the report what the name does not.
	note string
	// program is looked up in PATH, if it has no slash.
	program string
	// args are the arguments for capturing on an interface into a file until
	// SIGTERM comes.
	args func(ifname, file string) []string
	// open reads the file back. Nil means that none is written, and that
	// the program's own count has to be believed.
	open format
	// retire is how long a packet may lie in the ring before the program
	// gets it, so how long to wait after the last one.
	retire time.Duration
	// version are the arguments that make the program tell its version.
	version []string
}

// base is the peer that the others are compared with.
const base = "tcpdump"

// peers lists everything that can be measured, in the order of a round.
// Icap and self are the paths of icap's binary and of this one.
func peers(icap, self string) []peer {
	ringKiB := strconv.Itoa(ringMiB << 10)
	role := func(name string) func(ifname, file string) []string {
		return func(ifname, file string) []string { return []string{roleCommand, name, ifname, file} }
	}
	return []peer{{
		name:    base,
		note:    fmt.Sprintf("tcpdump -B %s -w", ringKiB),
		program: "tcpdump",
		args: func(ifname, file string) []string {
			// Other than root could not write into the private folder.
			return []string{"-Z", "root", "-n", "-B", ringKiB, "-i", ifname, "-w", file}
		},
		open:    pcap,
		retire:  time.Second,
		version: []string{"--version"},
	}, {
		name:    "icap",
		note:    fmt.Sprintf("icap -B %s -w", ringKiB),
		program: icap,
		args: func(ifname, file string) []string {
			return []string{"-n", "-B", ringKiB, "-i", ifname, "-w", file}
		},
		open:    pcapng,
		retire:  100 * time.Millisecond,
		version: []string{"--version"},
	}, {
		name:    "copy",
		note:    "a bare loop in this binary: from icap's ring into a 1 MiB batch, one write a batch, no options",
		program: self,
		args:    role(roleCopy),
		open:    pcapng,
		retire:  100 * time.Millisecond,
	}, {
		name:    "ring",
		note:    "a bare loop in this binary: icap's ring is read and nothing is done with the packets",
		program: self,
		args:    role(roleRing),
		retire:  100 * time.Millisecond,
	}}
}

// choosePeers returns the peers that are named and found, in their order, and
// says for each of the others why not. No names means all.
func choosePeers(all []peer, names []string) (found []peer, missing []string, err error) {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p peer) bool { return p.name == name }) {
			return nil, nil, fmt.Errorf("no peer is called %q", name)
		}
	}
	for _, p := range all {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		path, err := exec.LookPath(p.program)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", p.name, err))
			continue
		}
		p.program = path
		found = append(found, p)
	}
	return found, missing, nil
}

// describe is the note of a peer, the first line of what it says about its
// version, and the commit that it was built from.
func (p *peer) describe() string {
	if p.version == nil {
		return p.note
	}
	out, err := exec.Command(p.program, p.version...).CombinedOutput()
	if err != nil {
		return p.note
	}
	version, _, _ := strings.Cut(string(out), "\n")
	if commit := revision(p.program); commit != "" {
		version += ", commit " + commit
	}
	return p.note + " (" + version + ")"
}
