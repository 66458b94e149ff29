package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/internal/direct"
)

// writings are the values of --write.
var writings = []string{writeAuto, writeDirect, writeCopy}

const (
	writeAuto   = "auto"
	writeDirect = "direct"
	writeCopy   = "copy"
)

// A writing is the way from the rings into the output.
type writing struct {
	direct bool
	why    string // why it is not direct
}

// chooseWriting decides how the output is written, before the rings are
// opened: those of direct writing are laid out for it, and larger.
func (s *session) chooseWriting() error {
	s.beUnhurried()
	if s.flags.write == writeCopy {
		s.writing.why = "as --write says"
		return nil
	}
	err := s.directly()
	if err == nil && s.flags.write != writeDirect {
		err = s.sensibly()
	}
	if err != nil {
		s.writing.why = err.Error()
		if s.flags.write == writeDirect {
			return usagef("--write direct is not possible: %w", err)
		}
		return nil
	}
	s.writing.direct = true
	for _, src := range s.sources {
		src.config.Direct = true
		src.config.Ring = s.flags.rings.geometry(afpacket.LargeGeometry)
	}
	return nil
}

// beUnhurried keeps the blocks of a ring open for longer where its packets wait
// for nobody and nobody waits for them. Those of several rings wait for each
// other.
func (s *session) beUnhurried() {
	f := s.flags
	if len(s.sources) != 1 || s.newcomers != nil || f.rings.fanout > 1 || f.rings.retire() != 0 ||
		f.output == "" || f.output == "-" || f.alsoPrint {
		return
	}
	if st, err := os.Stat(f.output); err == nil && !st.Mode().IsRegular() {
		return
	}
	config := &s.sources[0].config
	config.RetireTimeout = unhurried(config.Ring)
}

// directly says what makes direct writing impossible.
func (s *session) directly() error {
	switch s.flags.output {
	case "":
		return errors.New("packets are printed; write them to a file with -w")
	case "-":
		return errors.New("standard output is no file on a disk")
	}
	switch {
	case s.flags.alsoPrint:
		return errors.New("the packets are printed, too")
	case s.newcomers != nil:
		return errors.New("interfaces that come later are to join")
	case s.flags.keys.path != "":
		return errors.New("TLS secrets go ahead of the packets that need them")
	case s.flags.stitch:
		return errors.New("redirected packets get other addresses")
	case s.flags.trigger.on():
		return errors.New("packets are held until an event comes")
	case s.flags.rotation.rotates():
		return errors.New("the files are rotated")
	case s.flags.skip > 0:
		return errors.New("--skip counts packet by packet")
	case s.flags.rotation.maxBytes.bytes > 0:
		return errors.New("--max-bytes counts packet by packet")
	}
	for _, src := range s.sources {
		if src.ofPod() {
			return errors.New("each packet has to be looked at for its leg")
		}
	}
	for _, path := range s.flags.outputs() {
		if err := direct.Probe(path); err != nil {
			return err
		}
	}
	size := s.flags.rings.geometry(afpacket.LargeGeometry).Size()
	return checkMemory(size * s.flags.rings.fanout * len(s.sources))
}

// sensibly says what is lost by direct writing.
func (s *session) sensibly() error {
	switch {
	case len(s.sources) > 1:
		return errors.New("the packets of several interfaces are put in time order")
	case slices.ContainsFunc(s.flags.outputs(), direct.InMemory):
		return errors.New("the file is in memory, which O_DIRECT does not spare")
	case s.flags.rings.live:
		return errors.New("--live makes many small writes")
	}
	return nil
}

// keepWriting looks at the choice again when the rings are open.
func (s *session) keepWriting() error {
	for _, src := range s.sources {
		if !s.writing.direct || !src.byHand {
			continue
		}
		why := fmt.Errorf("icap has to run the filter, whose %d instructions are more than the kernel takes", len(src.filter.Insns))
		if s.flags.write == writeDirect {
			return usagef("--write direct is not possible: %w", why)
		}
		s.writing = writing{why: why.Error()}
	}
	return nil
}

// tell says how the output is written.
func (w writing) tell() string {
	if w.direct {
		return "direct, from the rings to the disk (O_DIRECT)"
	}
	return "copied: " + w.why
}

// copying is a sink behind the merge of all rings, which copies.
type copying struct{ sink }

func (c copying) run(ctx context.Context, config capture.Config) (*capture.Result, error) {
	config.Sink = c.sink
	if f, ok := c.sink.(*fileSink); ok {
		config.Sink = f.Files // which needs not look at each packet
	}
	return capture.Run(ctx, config)
}
