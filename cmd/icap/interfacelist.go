package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"icap/internal/kernel"
)

// anyInterface stands for all of them.
const anyInterface = "any"

// listInterfaces prints the interfaces that icap can capture on, with numbers
// that -i takes, in the words of tcpdump.
func listInterfaces(out io.Writer, p *place) error {
	for i, l := range p.listed() {
		name := printable(l.Name)
		if l.Name == anyInterface {
			name += " (Pseudo-device that captures on all interfaces)"
		}
		if _, err := fmt.Fprintf(out, "%d.%s [%s]\n", i+1, name, linkState(l)); err != nil {
			return err
		}
	}
	return nil
}

// linkState says what an interface is good for.
func linkState(l kernel.Link) string {
	var state []string
	if l.Up {
		state = append(state, "Up")
	}
	if l.Running {
		state = append(state, "Running")
	}
	if l.Loopback {
		state = append(state, "Loopback")
	}
	if len(state) == 0 {
		state = append(state, "none")
	}
	switch {
	case l.Loopback || l.Name == anyInterface:
	case l.Running:
		state = append(state, "Connected")
	default:
		state = append(state, "Disconnected")
	}
	return strings.Join(state, ", ")
}

// listed are the usable interfaces and any in the order of libpcap, so that
// numbers mean the same: those that run, any, loopback, the others.
func (p *place) listed() []kernel.Link {
	links := append(p.usable(), kernel.Link{Name: anyInterface, Up: true, Running: true})
	slices.SortStableFunc(links, func(a, b kernel.Link) int {
		return cmp.Compare(usefulness(a), usefulness(b))
	})
	return links
}

// usefulness is less for an interface that is more likely meant.
func usefulness(l kernel.Link) int {
	switch {
	case !l.Up:
		return 4
	case !l.Running:
		return 3
	case l.Loopback:
		return 2
	case l.Name == anyInterface:
		return 1
	}
	return 0
}

// numbered turns a number of the list into a name.
func (p *place) numbered(name string) string {
	n, err := strconv.Atoi(name)
	if list := p.listed(); err == nil && indexByName(p.links, name) < 0 && n > 0 && n <= len(list) {
		return list[n-1].Name
	}
	return name
}
