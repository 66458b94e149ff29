package main

import (
	"fmt"
	"io"

	"icap/internal/gather"
	"icap/internal/plain"
)

// summarize prints tcpdump's three lines, and then a line for each stream.
func summarize(w io.Writer, r *gather.Result) {
	if len(r.Streams) == 0 {
		return // the error says why
	}
	var received, dropped uint64
	for i := range r.Streams {
		received += r.Streams[i].Received
		dropped += r.Streams[i].Dropped
	}
	fmt.Fprintf(w, "%s captured\n", packets(r.Packets))
	fmt.Fprintf(w, "%s received by filter\n", packets(received))
	fmt.Fprintf(w, "%s dropped by kernel\n", packets(dropped))
	for i := range r.Streams {
		fmt.Fprintln(w, streamLine(&r.Streams[i]))
	}
	if r.Late > 0 {
		fmt.Fprintf(w, "icap: %s written out of time order; see --max-delay and --align\n", packets(r.Late))
	}
	if r.Lost > 0 {
		fmt.Fprintf(w, "icap: %s lost: the output failed\n", packets(r.Lost))
	}
}

// streamLine says what came of a stream.
func streamLine(s *gather.StreamResult) string {
	line := fmt.Sprintf("%s: %d captured, %d received, %d dropped, clock %s", plain.Text(s.Node), s.Packets, s.Received, s.Dropped, s.Clock)
	if s.Late > 0 {
		line += fmt.Sprintf(", %d late, by %v at most", s.Late, s.LateBy)
	}
	if s.Err != nil {
		line += ": " + plain.Text(s.Err.Error())
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
