package main

import (
	"fmt"
	"slices"
	"strings"

	"icap/internal/capture"
	"icap/internal/sight"
)

// tellStart says what is captured, once it is.
func (s *session) tellStart() {
	s.running = true
	for _, src := range s.sources {
		s.tellSource(src)
	}
	if s.flags.output != "" && s.flags.output != "-" {
		fmt.Fprintf(s.errs, "icap: writing is %s\n", printable(s.writing.tell()))
	}
	if s.flags.keys.path != "" {
		s.flags.keys.warn(s)
	}
	if s.flags.trigger.on() {
		fmt.Fprintf(s.errs, "icap: only packets %s are written; at most %s are held\n", printable(s.flags.trigger.String()), s.flags.trigger.memory.String())
	}
	if s.started != nil {
		s.started()
	}
}

// tellSource says what is captured on one interface.
func (s *session) tellSource(src *source) {
	what := "everything"
	if src.expr != "" {
		what = src.expr
	}
	fmt.Fprintf(s.errs, "icap: listening on %s, link-type EN10MB (Ethernet), snapshot length %d bytes, %s\n",
		printable(src.at()), s.flags.keep(), s.flags.rings.describe(src.geometry))
	fmt.Fprintf(s.errs, "icap:   filter: %s\n", printable(clip(what)))
	tellNotes(s.errs, src.filter)
	if src.byHand {
		fmt.Fprintf(s.errs, "icap:   the filter has %d instructions, more than the kernel takes: icap runs it on every packet\n", len(src.filter.Insns))
	}
	if src.ofPod() {
		fmt.Fprintf(s.errs, "icap:   legs: %s\n", strings.ReplaceAll(src.legs.String(), ",", ", "))
	}
}

// clip shortens what nobody would read to its end.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s ... (%d bytes)", s[:most], len(s))
}

// summarize prints tcpdump's three lines, and then where the packets were.
func (s *session) summarize(r *capture.Result, written []uint64) {
	var captured uint64
	for _, n := range written {
		captured += n
	}
	total := r.Total()
	var rejected uint64
	for _, src := range s.sources {
		rejected += src.rejected + src.handed.packets
	}
	fmt.Fprintf(s.errs, "%s captured\n", packets(captured))
	fmt.Fprintf(s.errs, "%s received by filter\n", packets(total.Received-rejected))
	fmt.Fprintf(s.errs, "%s dropped by kernel\n", packets(total.Dropped))
	for i := range s.sources {
		fmt.Fprintln(s.errs, s.sourceLine(i, &r.Sources[i], written))
	}
	if r.Late > 0 {
		fmt.Fprintf(s.errs, "icap: %s written out of time order\n", packets(r.Late))
	}
	s.tellForgotten()
	if captured == 0 && total.Received == 0 {
		fmt.Fprintln(s.errs, "icap: no packet matched: is the filter right, and the interface, and the namespace?")
	}
}

// tellForgotten says for each pod whether there were more connections than can
// be remembered.
func (s *session) tellForgotten() {
	for _, src := range s.sources {
		s.retire(src)
	}
}

// retire gives back what a source needs to tell the legs of packets, of which
// none will come any more: it is far more than what the summary needs. The last
// source of a pod tells whether connections were forgotten.
func (s *session) retire(src *source) {
	c, t := src.classifier, src.tracking
	src.classifier, src.openers, src.tracking, src.filter, src.config.Filter, src.rings = nil, nil, nil, nil, nil, nil
	if !slices.ContainsFunc(s.sources, func(other *source) bool { return other.tracking == t }) {
		t.stop()
	}
	if c == nil || c.Forgotten() == 0 || slices.ContainsFunc(s.sources, func(other *source) bool { return other.classifier == c }) {
		return
	}
	fmt.Fprintf(s.errs, "icap: %s: %d connections were forgotten, the longest unused; packets of those that were still open are on the leg that their ports tell\n",
		printable(src.place.String()), c.Forgotten())
}

// sourceLine says where the packets of a source were.
func (s *session) sourceLine(i int, r *capture.Source, written []uint64) string {
	src := s.sources[i]
	var own uint64
	var legs []string
	for id, owner := range s.owner[:len(written)] {
		if owner != i {
			continue
		}
		own += written[id]
		if src.ofPod() && written[id] > 0 {
			legs = append(legs, fmt.Sprintf("%s %d", sight.Leg(s.interfaces[id].Name), written[id]))
		}
	}
	line := fmt.Sprintf("%s: %d captured, %d received, %d dropped", printable(src.at()), own, r.Received, r.Dropped)
	if src.rejected > 0 {
		line += fmt.Sprintf(", %d rejected by the filter", src.rejected)
	}
	if src.skipped > 0 {
		line += fmt.Sprintf(", %d skipped", src.skipped)
	}
	if r.Unneeded > 0 {
		line += fmt.Sprintf(", %d not around an event", r.Unneeded)
	}
	if n := src.handed.packets; n > 0 {
		line += fmt.Sprintf(", %d on the ring that takes over", n)
	}
	if other := r.Excluded - r.Unneeded - src.rejected - src.skipped - src.handed.packets; other > 0 {
		line += fmt.Sprintf(", %d on other legs", other)
	}
	if lost := r.Received - min(r.Received, r.Dropped+r.Excluded+own); lost > 0 {
		line += fmt.Sprintf(", %d not written", lost)
	}
	if len(legs) > 0 {
		line += " (" + strings.Join(legs, ", ") + ")"
	}
	return line
}

// packets counts them as tcpdump does.
func packets(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}
