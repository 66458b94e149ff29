package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"icap/internal/capture"
	"icap/internal/sandbox"
	"icap/pcapwriter"
)

// keyFlags are those of the TLS secrets that a live capture gets.
type keyFlags struct {
	path  string
	delay time.Duration
}

// keyLogDelay is enough for Istio's proxy, which writes its log once a second.
const keyLogDelay = 1500 * time.Millisecond

func (f *keyFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.path, "keylog", "", "with -w: put the TLS secrets of this file, as of SSLKEYLOGFILE, ahead of the packets that need them, while it is written; who has the output can read what was encrypted")
	fs.DurationVar(&f.delay, "keylog-delay", keyLogDelay, "with --keylog: hold packets back for so long, until their secrets are there")
}

// check refuses what makes no sense.
func (f *keyFlags) check(c *captureFlags) error {
	const longest = 30 * time.Second
	switch {
	case f.delay < 0 || f.delay > longest:
		return usagef("--keylog-delay %v is not between 0 and %v", f.delay, longest)
	case f.path == "":
		return nil
	case f.path == "-":
		return usagef("--keylog -: name a file or a named pipe")
	case c.output == "":
		return usagef("--keylog puts secrets into a file: name it with -w")
	case c.rings.split:
		return usagef("--keylog and --split exclude each other: secrets are put into one file")
	}
	return nil
}

// need is what it takes to open the file once it is there, or another of its
// name: it is the proxy's, and may be in the proxy's file system.
func (f *keyFlags) need() need {
	n := need{why: "the key log", keep: []sandbox.Capability{sandbox.DACReadSearch}}
	if path, err := filepath.Abs(f.path); err != nil || strings.Contains(path, "/proc/") {
		n.keep, n.look = append(n.keep, sandbox.SysPtrace), true
	}
	return n
}

// A keySink puts TLS secrets ahead of the packets that need them. It holds
// packets back until then.
type keySink struct {
	*capture.Delay
	to   keeper
	keys *keyTail
}

// A keeper is a sink that takes secrets, too.
type keeper interface {
	sink
	AddSecrets(lines []byte) error
}

// How much memory the packets take at most that wait for secrets, in bytes, and
// how long the end of a capture waits for those of the last packets.
const (
	keyLogHold  = 64 << 20
	keyLogAtEnd = 2 * time.Second
)

func newKeySink(to keeper, keys *keyTail, f *keyFlags) *keySink {
	return &keySink{to: to, keys: keys, Delay: capture.NewDelay(capture.DelayConfig{
		To: to, By: f.delay, Limit: keyLogHold,
		Before: func(oldest time.Time) error {
			if lines := keys.fresh(oldest); len(lines) > 0 {
				return to.AddSecrets(lines)
			}
			return nil
		},
	})}
}

// Written counts what has been passed on.
func (k *keySink) Written() (packets []uint64, bytes uint64) { return k.to.Written() }

// Grow adds interfaces and names.
func (k *keySink) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	return k.to.Grow(interfaces, sources, names)
}

// Cut begins a new file. Packets that are held back come into it.
func (k *keySink) Cut() { k.to.Cut() }

// Close waits for the secrets of the last packets, and closes the output.
func (k *keySink) Close(r *capture.Result) (written []uint64, err error) {
	time.Sleep(min(k.Left(), keyLogAtEnd))
	k.keys.close()
	err = k.End()
	written, cerr := k.to.Close(r)
	if err == nil {
		err = cerr
	}
	return written, err
}

// Discard takes the output back.
func (k *keySink) Discard() error {
	k.keys.close()
	return k.to.Discard()
}

// tell says at the end what was done.
func (k *keySink) tell(s *session) {
	k.keys.tell(s.errs)
	if n := k.Early(); n > 0 {
		fmt.Fprintf(s.errs, "icap: %s not held back for their secrets: there were too many at once\n", packets(n))
	}
}

// warn says at the start what the output will be.
func (f *keyFlags) warn(s *session) {
	output := s.flags.output
	if output == "-" {
		output = "standard output"
	}
	fmt.Fprintf(s.errs, "icap: NOTE: %s gets the TLS secrets that come into %s from now on: whoever has it can read what was encrypted\n", printable(output), printable(f.path))
}
