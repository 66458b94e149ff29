package sight

import (
	"fmt"
	"io"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/stitch"
)

// Read shows all packets of a capture that match an expression of
// pcap-filter(7), "" meaning all of them, each as soon as it is known what the
// app saw of it. It returns at the end of the capture, which may be a pipe that
// is still being written. What was read before an error has been shown.
func Read(r io.Reader, expr string, see func(*flow.Sighting)) error {
	in, err := capfile.NewReader(r)
	if err != nil {
		return err
	}
	s := NewStream(expr, see)
	err = s.File(in)
	if ferr := s.Flush(); err == nil {
		err = ferr
	}
	return err
}

// A Stream is Read for several files, one behind the other.
type Stream struct {
	*stitch.Stream
	viewer *Viewer
	files  int
}

// NewStream shows packets that match an expression to see. A sighting is valid
// during the call.
func NewStream(expr string, see func(*flow.Sighting)) *Stream {
	v := NewViewer(expr)
	return &Stream{viewer: v, Stream: stitch.NewStream(0, func(e *stitch.Entry) error {
		s, err := v.View(e)
		if s != nil {
			see(s)
		}
		return err
	})}
}

// File takes the next file. Unless it says otherwise, it is of another host
// than the ones before.
func (s *Stream) File(in *capfile.Reader) error {
	if s.files++; s.files > 1 {
		s.viewer.host = fmt.Sprintf("file %d", s.files)
	}
	return s.Stream.File(in)
}
