package capture

import (
	"cmp"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"icap/pcapwriter"
)

// A Place is one file of a series, from which its name is made.
type Place struct {
	// Begin is when its interval began: what strftime names.
	Begin time.Time
	// Number counts the files of the interval, or of the ring, from 0.
	Number int
	// Own is the file that this capture has written at this place of the
	// ring before, nil if none.
	Own fs.FileInfo
}

// FilesConfig says what is written where.
type FilesConfig struct {
	// Header is what every file begins with, and Sources has the index of
	// the source of each of its interfaces.
	Header  *pcapwriter.Header
	Sources []int
	// Writer tunes how they are written. Its Fault and Limit are set by
	// NewFiles.
	Writer pcapwriter.Config
	// NoFlags leaves direction and reception of packets out, which take 12
	// bytes of each.
	NoFlags bool
	// Rotation says when a file ends.
	Rotation Rotation
	// MaxBytes ends the capture before the files together have more bytes
	// than this, overwritten ones included; 0 is no limit.
	MaxBytes uint64
	// Open makes a file. It is called for the first one by NewFiles. Remove
	// takes back one that could not even take its header; it may be nil.
	Open   func(Place) (*os.File, error)
	Remove func(Place, *os.File) error
	// Secrets, if not nil, gives the lines of a TLS key log that packets from
	// a time on may need. Each file but the first gets them at its beginning.
	Secrets func(from time.Time) []byte
	// Begin is the time at which the first file begins.
	Begin time.Time
	// Last, if not nil, is told when the last of a limited number of files
	// ends.
	Last func(time.Time)
}

// Files is the sink that writes pcapng files, one after the other. Each of
// them stands alone: it has the header, the packets of its part of the capture,
// and statistics that count from its beginning, so that those of all files add
// up to the capture's.
type Files struct {
	config *FilesConfig
	failed chan struct{} // closed when writing behind, or Cut, has failed
	fail   sync.Once     // closes it
	broken error         // of Cut
	to     *File         // the current one; nil after a fault between two of them
	file   *os.File
	place  Place
	begin  time.Time // of what the current file holds
	until  int64     // end of its interval, in nanoseconds
	due    int64     // when its statistics so far are due, likewise
	size   uint64    // above which it ends
	parted bool      // the output can end, or go on in another file

	intervals int
	members   []fs.FileInfo // of a ring, by number
	closed    uint64        // bytes of the files before
	reserve   uint64        // bytes that the statistics will take
	headerLen uint64
	written   []uint64 // of each interface, in the files before
	live      *Result
	base      []Source // what the statistics of the files before have told
}

// NewFiles opens the first file and writes its header.
func NewFiles(c *FilesConfig) (*Files, error) {
	f := &Files{
		config:    c,
		failed:    make(chan struct{}),
		size:      math.MaxUint64,
		intervals: 1,
	}
	f.makeRoom()
	if c.Rotation.Size > 0 {
		f.size = c.Rotation.Size
	}
	c.Writer.Fault = func() { f.fail.Do(func() { close(f.failed) }) }
	f.parted = c.Rotation.Size > 0 || c.Rotation.Interval > 0 || c.MaxBytes > 0
	f.begin, f.place.Begin = c.Begin, c.Begin
	f.setUntil(c.Begin)
	return f, f.open()
}

// Failed is closed when a file that is written behind cannot be written, or Cut
// has found no next one.
func (f *Files) Failed() <-chan struct{} { return f.failed }

// Accounts takes note of where Run counts.
func (f *Files) Accounts(live *Result) { f.live = live }

// Grow adds interfaces, of these sources, and names for what follows: to the
// current file, and to the header of later ones.
func (f *Files) Grow(interfaces []pcapwriter.Interface, sources []int, names []pcapwriter.Name) error {
	if f.to == nil {
		return fs.ErrClosed
	}
	h := *f.config.Header
	h.Interfaces = slices.Concat(h.Interfaces, interfaces)
	h.Names = slices.Concat(h.Names, names)
	f.config.Header = &h
	f.config.Sources = slices.Concat(f.config.Sources, sources)
	f.makeRoom()
	return f.to.Grow(interfaces, sources, names)
}

// makeRoom counts for all interfaces and sources.
func (f *Files) makeRoom() {
	n := len(f.config.Sources)
	statistics := pcapwriter.AppendStatistics(nil, &pcapwriter.Statistics{Start: 1, End: 1})
	f.reserve = uint64(n * len(statistics))
	f.written = append(f.written, make([]uint64, n-len(f.written))...)
	sources := slices.Max(f.config.Sources) + 1
	f.base = append(f.base, make([]Source, max(0, sources-len(f.base)))...)
}

// Packet writes a packet, into a new file if it is time for one.
func (f *Files) Packet(p *Packet) error {
	if f.to == nil {
		return cmp.Or(f.broken, fs.ErrClosed)
	}
	if f.parted {
		if err := f.part(p); err != nil {
			return err
		}
	}
	if err := f.record(p.Time); err != nil {
		return err
	}
	return f.to.Packet(p)
}

// plain says whether frames may take the place of Packet for packets of the only
// source that no hook looks at.
func (f *Files) plain() bool {
	return f.config.NoFlags && !f.parted && len(f.config.Sources) == 1
}

// frames writes packets of a run, see File.frames.
func (f *Files) frames(r *run, last int64) (stretch, error) {
	if f.to == nil {
		return stretch{next: r.offset, last: last}, fs.ErrClosed
	}
	if err := f.record(r.block.Time(r.offset)); err != nil {
		return stretch{next: r.offset, last: last}, err
	}
	return f.to.frames(r, last)
}

// part opens a new file if it is time for one, or ends the capture.
func (f *Files) part(p *Packet) error {
	over := p.Time >= f.until
	// Pods that come back make the header longer than the size that was asked
	// for, in the end: half of a file at least is packets.
	full := over || f.to.Size() > max(f.size, 2*f.headerLen)
	if f.config.MaxBytes > 0 && f.exceeds(p, full) {
		return ErrEnough
	}
	if full {
		return f.rotate(time.Unix(0, p.Time), over)
	}
	return nil
}

// exceeds says whether a packet is beyond the limit of all files.
func (f *Files) exceeds(p *Packet, rotate bool) bool {
	const blockLen = 64 // at most, without the data
	n := f.closed + f.to.Size() + f.reserve + blockLen + uint64(len(p.Data))
	if rotate {
		n += f.headerLen + f.reserve + uint64(len(f.secrets(p.Time)))
	}
	return n > f.config.MaxBytes
}

// rotate ends the file and opens the next one, for a packet of time t. After an
// error there is no file any more, and nothing is written.
func (f *Files) rotate(t time.Time, interval bool) error {
	r := &f.config.Rotation
	next := Place{Begin: f.place.Begin, Number: f.place.Number + 1}
	begin := t
	if interval {
		if r.last(f.intervals) {
			return ErrEnough
		}
		f.intervals++
		begin = r.Begin(t)
		next = Place{Begin: begin}
	}
	if r.Size > 0 && r.Files > 0 && next.Number >= r.Files {
		next.Number = 0
	}
	if err := f.end(f.passed(), begin); err != nil {
		return err
	}
	if interval {
		f.members = nil
		f.setUntil(begin)
	} else if next.Number < len(f.members) {
		next.Own = f.members[next.Number]
	}
	f.begin, f.place = begin, next
	if err := f.open(); err != nil {
		return err
	}
	return f.to.AddSecrets(f.secrets(t.UnixNano()))
}

// secrets are those that packets from a time on may need.
func (f *Files) secrets(from int64) []byte {
	if f.config.Secrets == nil {
		return nil
	}
	return f.config.Secrets(time.Unix(0, from))
}

// AddSecrets puts lines of a TLS key log ahead of the packets that follow, in
// the current file. A limit of all files that they exceed ends the capture.
func (f *Files) AddSecrets(lines []byte) error {
	if f.to == nil {
		return fs.ErrClosed
	}
	if most := f.config.MaxBytes; most > 0 && f.closed+f.to.Size()+f.reserve+uint64(len(lines)) > most {
		return ErrEnough
	}
	return f.to.AddSecrets(lines)
}

// Cut ends the file, and begins the next one of the same interval. It may be
// called within Config.Answer. If it fails, the next Flush returns the error.
func (f *Files) Cut() {
	if f.to == nil {
		return
	}
	if f.broken = f.rotate(time.Now(), false); f.broken != nil {
		f.fail.Do(func() { close(f.failed) })
	}
}

// Next begins another file, for packets from a time on. One without a packet
// is taken back for that.
func (f *Files) Next(begin time.Time) error {
	if f.to == nil {
		return fs.ErrClosed
	}
	place := Place{Begin: begin, Number: f.place.Number + 1}
	if !f.to.empty() {
		if err := f.end(f.passed(), begin); err != nil {
			return err
		}
		f.begin = begin
	} else {
		place.Number = f.place.Number
		if err := errors.Join(f.to.writer.Close(), f.Discard()); err != nil {
			return err
		}
	}
	f.place = place
	return f.open()
}

// setUntil says when the interval that begins at a time is over.
func (f *Files) setUntil(begin time.Time) {
	f.until = math.MaxInt64
	end := f.config.Rotation.Next(begin)
	if end.IsZero() {
		return
	}
	f.until = end.UnixNano()
	if f.config.Last != nil && f.config.Rotation.last(f.intervals) {
		f.config.Last(end)
	}
}

// open opens the file at the place, and writes its header.
func (f *Files) open() error {
	file, err := f.config.Open(f.place)
	if err != nil {
		return err
	}
	f.file = file
	f.config.Writer.Limit = f.limit()
	f.to, err = newFile(file, f.config)
	if err == nil {
		err = f.remember()
	}
	if err != nil {
		f.to, f.file = nil, nil
		if f.config.Remove != nil {
			err = errors.Join(err, f.config.Remove(f.place, file))
		}
		return errors.Join(err, file.Close())
	}
	f.headerLen = f.to.Size()
	f.due = f.begin.Add(recordEvery).UnixNano()
	return nil
}

// limit is a size that the file will hardly exceed, 0 if there is none.
func (f *Files) limit() int64 {
	const lastPacket = 1 << 20
	limit := f.size
	if most := f.config.MaxBytes; most > 0 {
		limit = min(limit, most-min(most, f.closed))
	}
	if limit > math.MaxInt64-lastPacket {
		return 0
	}
	return int64(limit) + lastPacket
}

// remember keeps which file stands at a place of the ring.
func (f *Files) remember() error {
	r := &f.config.Rotation
	if r.Size == 0 || r.Files == 0 {
		return nil
	}
	fi, err := f.file.Stat()
	if n := f.place.Number; n < len(f.members) {
		f.members[n] = fi
	} else {
		f.members = append(f.members, fi)
	}
	return err
}

// passed is what became of the packets since the file began, as far as they
// have passed through the capture: those in the rings belong to the next file.
func (f *Files) passed() []Source {
	now := make([]Source, len(f.base))
	for i := range now {
		now[i].Dropped = f.live.Sources[i].Told
		now[i].Excluded = f.live.Sources[i].Excluded
		now[i].Received = f.live.Sources[i].Written + f.live.Sources[i].Excluded + f.live.Sources[i].Told
	}
	return now
}

// end writes the statistics and closes the file.
func (f *Files) end(now []Source, to time.Time) error {
	if f.to == nil {
		return nil
	}
	since := f.since(now)
	f.base = now
	err := f.to.end(since, f.begin, to)
	for i := range f.written {
		f.written[i] += f.to.Written(i)
	}
	f.closed += f.to.Stats().Bytes
	err = errors.Join(err, f.file.Close())
	f.to, f.file = nil, nil
	return err
}

// Flush writes the batch.
func (f *Files) Flush() error {
	if f.to == nil {
		return f.broken
	}
	return f.to.Flush()
}

// Close ends the last file.
func (f *Files) Close(r *Result) error { return f.end(r.Sources, r.End) }

// Written is how many packets of an interface are in the files, in those that
// a ring has overwritten too.
func (f *Files) Written(i int) uint64 {
	n := f.written[i]
	if f.to != nil {
		n += f.to.Written(i)
	}
	return n
}

// Bytes is how many bytes were written, into files that a ring has overwritten
// too.
func (f *Files) Bytes() uint64 {
	n := f.closed
	if f.to != nil {
		n += f.to.Stats().Bytes
	}
	return n
}

// Discard takes back the first file, into which nothing was captured.
func (f *Files) Discard() error {
	if f.to == nil {
		return nil
	}
	var err error
	if f.config.Remove != nil {
		err = f.config.Remove(f.place, f.file)
	}
	return errors.Join(err, f.file.Close())
}
