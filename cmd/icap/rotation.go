package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
	"github.com/spf13/pflag"

	"icap/internal/capture"
	"icap/pcapwriter"
)

// rotationFlags are the flags that part the output into files. Those with a
// letter are tcpdump's.
type rotationFlags struct {
	size     size // of a file
	seconds  int
	interval time.Duration
	files    int
	maxBytes size // of all files
	hup      string
}

// What SIGHUP does, by --hup.
const (
	hupStop   = "stop"
	hupRotate = "rotate"
)

func (f *rotationFlags) register(fs *pflag.FlagSet) {
	f.size.unit, f.maxBytes.unit = 1e6, 1
	fs.VarP(&f.size, "file-size", "C", "begin a new file when one is larger than this, in units of 1,000,000 bytes, or with the suffix k, m or g; later files have a number behind the name")
	fs.IntVarP(&f.seconds, "rotate-seconds", "G", 0, "begin a new file after so many seconds; the name of -w is expanded by strftime, such as web-%H%M%S.pcapng")
	fs.DurationVar(&f.interval, "interval", 0, "as -G, but files begin at multiples of this time by the clock, such as full minutes with 1m")
	fs.IntVarP(&f.files, "file-count", "W", 0, "with -C, a ring of so many files, the oldest of which is overwritten; with -G or --interval, end after so many files")
	fs.StringVar(&f.hup, "hup", hupStop, "what SIGHUP does: stop, or with -C, -G or --interval rotate, which begins a new file")
	fs.Var(&f.maxBytes, "max-bytes", "stop before the output has more bytes than this, with the suffix k, m or g")
}

// rotates says whether there can be more than one file.
func (f *rotationFlags) rotates() bool { return f.size.bytes > 0 || f.timed() }

func (f *rotationFlags) timed() bool { return f.seconds > 0 || f.interval > 0 }

// rotation is what the flags ask for.
func (f *rotationFlags) rotation() capture.Rotation {
	r := capture.Rotation{Size: uint64(f.size.bytes), Files: f.files}
	r.Interval, r.Aligned = time.Duration(f.seconds)*time.Second, false
	if f.interval > 0 {
		r.Interval, r.Aligned = f.interval, true
	}
	return r
}

// check refuses what makes no sense with an output.
func (f *rotationFlags) check(output string) error {
	const mostSeconds, mostFiles = 1 << 32, 1 << 20
	switch {
	case f.seconds < 0 || f.seconds > mostSeconds:
		return usagef("-G %d is not between 0 and %d", f.seconds, mostSeconds)
	case f.interval != 0 && f.interval < time.Second:
		return usagef("--interval %v is shorter than a second", f.interval)
	case f.seconds > 0 && f.interval > 0:
		return usagef("-G and --interval exclude each other")
	case f.files < 0 || f.files > mostFiles:
		return usagef("-W %d is not between 0 and %d", f.files, mostFiles)
	case f.files > 0 && !f.rotates():
		return usagef("-W needs -C, -G or --interval")
	case !slices.Contains([]string{"", hupStop, hupRotate}, f.hup):
		return usagef("--hup %q is not stop or rotate", f.hup)
	case f.hup == hupRotate && !f.rotates():
		return usagef("--hup rotate needs -C, -G or --interval")
	case output == "" && (f.rotates() || f.maxBytes.bytes > 0):
		return usagef("-C, -G, --interval and --max-bytes need a file: -w")
	case !f.rotates():
		return nil
	case output == "-":
		return usagef("-w -: standard output cannot be parted into files by -C, -G or --interval")
	case strings.HasSuffix(output, "/"):
		return usagef("-w %s names a directory", output)
	case f.timed() && strings.Contains(filepath.Dir(output), "%"):
		return usagef("-w %s: only the name of the file is expanded by strftime, its directory cannot have a %%", output)
	}
	return nil
}

// name is that of a file in its directory, as tcpdump makes it.
func (f *rotationFlags) name(output string, p capture.Place) string {
	name := filepath.Base(output)
	if f.timed() {
		name = strftime.Format(name, p.Begin)
	}
	width := f.digits()
	if width == 0 && p.Number == 0 {
		return name
	}
	return fmt.Sprintf("%s%0*d", name, width, p.Number)
}

// digits is how many digits the numbers of a ring have, so that they sort.
func (f *rotationFlags) digits() int {
	if f.size.bytes == 0 || f.files <= 1 {
		return 0
	}
	return len(strconv.Itoa(f.files - 1))
}

// A series is where the files of a rotation go, or of --file-per-event, that
// have names made from one output's.
type series struct {
	*pcapwriter.Series
	flags  *rotationFlags
	guard  *guardFlags
	output string
	events *eventNames // nil for a rotation
}

// openSeries refuses what can be known to fail before anything is captured.
func openSeries(f *captureFlags, output string, now time.Time) (*series, error) {
	s := &series{flags: &f.rotation, guard: &f.guard, output: output}
	if f.trigger.perEvent {
		s.events = &eventNames{output: filepath.Base(output)}
	}
	if err := s.checkNames(now, f.force); err != nil {
		return nil, err
	}
	dir := filepath.Dir(output)
	if st, err := os.Lstat(filepath.Join(dir, s.name(capture.Place{Begin: now}))); err == nil && st.Mode()&fs.ModeNamedPipe != 0 {
		return nil, usagef("-w %s: a named pipe cannot be parted into files by -C, -G, --interval or --file-per-event", output)
	}
	var err error
	if s.Series, err = pcapwriter.OpenSeries(dir, f.force); err != nil {
		return nil, outputError{err}
	}
	known := 1
	if s.flags.size.bytes > 0 {
		known = max(known, s.flags.files) // the whole ring
	}
	for n := range known {
		if err := s.Exists(s.name(capture.Place{Begin: now, Number: n})); err != nil {
			s.Close()
			return nil, outputError{err}
		}
	}
	return s, nil
}

// checkNames refuses names that are not those of files in the directory, or
// that the next interval would have again.
func (s *series) checkNames(now time.Time, force bool) error {
	if !s.flags.timed() && s.events == nil {
		return nil
	}
	r := s.flags.rotation()
	name := s.name(capture.Place{Begin: now})
	if strings.ContainsAny(name, "/\x00") || name == "" {
		return usagef("-w %s: %q is not the name of a file", s.output, name)
	}
	if s.events != nil {
		return nil
	}
	const some = 100
	for begin, i := now, 0; i < some && !force; i++ {
		begin = r.Next(begin)
		next := s.flags.name(s.output, capture.Place{Begin: begin})
		if next == name {
			return usagef("-w %s: files that begin %v apart would have the same name, %q; put the time in, such as %%H%%M%%S, or use --force to overwrite", s.output, r.Interval, name)
		}
		name = next
	}
	return nil
}

// name is that of the file at a place, as far as the place alone tells.
func (s *series) name(p capture.Place) string {
	if s.events != nil {
		return s.events.at(p)
	}
	return s.flags.name(s.output, p)
}

func (s *series) open(p capture.Place) (*os.File, error) {
	if s.events != nil {
		return s.guard.own(s.Create(s.events.next(p), p.Own))
	}
	return s.guard.own(s.Create(s.name(p), p.Own))
}

func (s *series) remove(p capture.Place, _ *os.File) error {
	if s.events != nil {
		return s.Remove(s.events.takeBack())
	}
	return s.Remove(s.name(p))
}
