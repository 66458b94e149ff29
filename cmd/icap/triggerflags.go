package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/internal/window"
)

// triggerFlags say around which events packets are written.
type triggerFlags struct {
	when      []string
	pre, post time.Duration
	memory    size
	perEvent  bool

	changed func(name string) bool // whether a flag was given
}

// The values of --trigger that are no expressions.
const (
	triggerRST        = "rst"
	triggerFIN        = "fin"
	triggerRetransmit = "retransmit"
	triggerSignal     = "SIGUSR2"
)

// How much is written around an event unless flags say otherwise.
const (
	usualAround = 10 * time.Second
	usualHeld   = 256 << 20
)

// register defines the flags of all commands that have triggers.
func (f *triggerFlags) register(fs *pflag.FlagSet) {
	f.memory = size{bytes: usualHeld, unit: 1}
	f.changed = fs.Changed
	fs.StringArrayVar(&f.when, "trigger", nil, "write only what surrounds an event: rst, fin, retransmit, SIGUSR2, or a packet that matches this expression; repeatable")
	fs.DurationVar(&f.pre, "pre", usualAround, "with --trigger: write so much time ahead of an event")
	fs.DurationVar(&f.post, "post", usualAround, "with --trigger: write so much time behind an event")
	fs.Var(&f.memory, "max-memory", "with --trigger: hold packets in this much memory at most, with the suffix k, m or g")
}

// registerFiles defines the flag of those that can write several files.
func (f *triggerFlags) registerFiles(fs *pflag.FlagSet) {
	fs.BoolVar(&f.perEvent, "file-per-event", false, "with --trigger: a file for each event, named as with -G if there is a % in the name of -w, else with a number behind the name")
}

// on reports whether there are triggers.
func (f *triggerFlags) on() bool { return len(f.when) > 0 }

// signalled reports whether a signal is one of them.
func (f *triggerFlags) signalled() bool { return slices.Contains(f.when, triggerSignal) }

// check refuses what makes no sense. Expressions are for the caller to compile.
func (f *triggerFlags) check() error {
	for i, when := range f.when {
		if f.when[i] = usualCase(when); strings.TrimSpace(when) == "" {
			return usagef("--trigger is empty: it takes rst, fin, retransmit, SIGUSR2 or an expression")
		}
	}
	if !f.on() {
		for _, name := range []string{"pre", "post", "max-memory", "file-per-event"} {
			if f.changed != nil && f.changed(name) {
				return usagef("--%s needs --trigger", name)
			}
		}
		return nil
	}
	switch {
	case f.pre < 0 || f.post < 0:
		return usagef("--pre %v and --post %v: neither can be negative", f.pre, f.post)
	case f.memory.bytes < window.MinMemory:
		return usagef("--max-memory %s is less than %d MiB", f.memory.String(), window.MinMemory>>20)
	}
	return nil
}

// fit makes the usual memory smaller where there is less, and refuses to take
// more than half of what there is, in bytes.
func (f *triggerFlags) fit(available int) error {
	most := available / 2
	switch {
	case !f.on() || f.memory.bytes <= most:
	case f.changed != nil && f.changed("max-memory"):
		return usagef("--max-memory %s is more than half of the %d MiB of memory there is", f.memory.String(), available>>20)
	default:
		const mebibyte = 1 << 20
		f.memory.bytes = max(most/mebibyte*mebibyte, window.MinMemory)
	}
	return nil
}

// usualCase is a trigger as its constant has it, however it is written.
func usualCase(when string) string {
	for _, known := range []string{triggerRST, triggerFIN, triggerRetransmit, triggerSignal} {
		if strings.EqualFold(strings.TrimSpace(when), known) {
			return known
		}
	}
	return when
}

// expressions are the triggers that are.
func (f *triggerFlags) expressions() (all []string) {
	for _, when := range f.when {
		switch when {
		case triggerRST, triggerFIN, triggerRetransmit, triggerSignal:
		default:
			all = append(all, when)
		}
	}
	return all
}

// triggerError says of an expression that cannot be compiled that it was meant
// for a trigger.
func triggerError(expr string, err error) error {
	return fmt.Errorf("--trigger %q is neither rst, fin, retransmit nor SIGUSR2, and no expression: %w", expr, err)
}

// window is what the flags ask for, where events are told at most so late.
func (f *triggerFlags) window(late time.Duration) window.Config {
	return window.Config{Before: f.pre, After: f.post, Late: late, Memory: f.memory.bytes}
}

// String says what is written.
func (f *triggerFlags) String() string {
	return fmt.Sprintf("from %v before to %v after %s", f.pre, f.post, strings.Join(f.when, " or "))
}

// completeTriggers offers the triggers that have names.
func completeTriggers(cmd *cobra.Command) {
	offer(cmd, "trigger", func() []string {
		return []string{
			cobra.CompletionWithDesc(triggerRST, "a TCP connection is reset"),
			cobra.CompletionWithDesc(triggerFIN, "one side closes a TCP connection"),
			cobra.CompletionWithDesc(triggerRetransmit, "a TCP segment is sent again"),
			cobra.CompletionWithDesc(triggerSignal, "icap gets this signal"),
		}
	})
}
