package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"icap/afpacket"
	"icap/internal/capture"
	"icap/pcapwriter"
)

// A track writes numbered packets through Files into a directory.
type track struct {
	t     *testing.T
	dir   string
	files *capture.Files
	live  []capture.Source
	sent  uint32
	last  time.Time // as told by FilesConfig.Last
}

var noon = time.Date(2026, 11, 23, 12, 0, 17, 500_000_000, time.UTC)

func newTrack(t *testing.T, r capture.Rotation, maxBytes uint64) *track {
	t.Helper()
	k := &track{t: t, dir: t.TempDir(), live: make([]capture.Source, 2)}
	series, err := pcapwriter.OpenSeries(k.dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { series.Close() })
	k.files, err = capture.NewFiles(&capture.FilesConfig{
		Header:   k.header(),
		Sources:  []int{0, 1},
		Rotation: r,
		Writer:   pcapwriter.Config{Behind: 2, Reserve: 64 << 20},
		MaxBytes: maxBytes,
		Begin:    noon,
		Open: func(p capture.Place) (*os.File, error) {
			return series.Create(fmt.Sprintf("%s.%03d", p.Begin.UTC().Format("150405"), p.Number), p.Own)
		},
		Remove: func(_ capture.Place, f *os.File) error { return os.Remove(f.Name()) },
		Last:   func(end time.Time) { k.last = end },
	})
	if err != nil {
		t.Fatal(err)
	}
	k.files.Accounts(&capture.Result{Sources: k.live})
	return k
}

// nodeName is in the header of every file.
const nodeName = "web.shop"

func (k *track) header() *pcapwriter.Header {
	h := header("a", "b")
	h.Names = []pcapwriter.Name{{Addr: netip.MustParseAddr("10.1.2.3"), Names: []string{nodeName}}}
	return h
}

// put writes the next packet, as Run would.
func (k *track) put(source int, after time.Duration, size int, dropped uint64) error {
	k.sent++
	data := make([]byte, size)
	binary.BigEndian.PutUint32(data, k.sent)
	p := capture.Packet{Source: source, Interface: source, DroppedBefore: dropped}
	p.Packet = afpacket.Packet{Time: noon.Add(after).UnixNano(), Data: data, Len: size}
	err := k.files.Packet(&p)
	if err == nil {
		k.live[source].Written++
		k.live[source].Dropped += dropped
	}
	return err
}

// close ends the last file, with rings that hold so many packets more.
func (k *track) close(after time.Duration, rest uint64) {
	k.t.Helper()
	r := &capture.Result{Sources: slices.Clone(k.live), Start: noon, End: noon.Add(after)}
	for i := range r.Sources {
		s := &r.Sources[i]
		s.Received = s.Written + s.Excluded + s.Dropped + rest
	}
	if err := k.files.Close(r); err != nil {
		k.t.Fatal(err)
	}
}

func header(names ...string) *pcapwriter.Header {
	h := &pcapwriter.Header{Section: pcapwriter.Section{Application: "icap test"}}
	for _, name := range names {
		h.Interfaces = append(h.Interfaces, pcapwriter.Interface{Name: name, LinkType: 1, Snaplen: afpacket.MaxSnaplen})
	}
	return h
}

// A member is one file as gopacket reads it.
type member struct {
	name              string
	numbers           []uint32
	first, last       time.Time
	received, dropped uint64
	start, end        time.Time
	size              int64
	interfaces        int
}

func (k *track) read() (all []member) {
	k.t.Helper()
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(k.dir, e.Name())
		all = append(all, readMember(k.t, path))
		if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte(nodeName)) {
			k.t.Errorf("%s does not stand alone: no names in it (%v)", e.Name(), err)
		}
	}
	return all
}

func readMember(t *testing.T, path string) member {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	m := member{name: filepath.Base(path)}
	for {
		data, info, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(m.numbers) == 0 {
			m.first = info.Timestamp
		}
		m.last = info.Timestamp
		m.numbers = append(m.numbers, binary.BigEndian.Uint32(data))
	}
	m.interfaces = r.NInterfaces()
	for n := range r.NInterfaces() {
		i, _ := r.Interface(n)
		m.received += i.Statistics.PacketsReceived
		m.dropped += i.Statistics.PacketsDropped
		m.start, m.end = i.Statistics.StartTime, i.Statistics.EndTime
	}
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	m.size = fi.Size()
	return m
}

// inSequence checks that every number from one on is there once.
func inSequence(t *testing.T, all []member, from, to uint32) {
	t.Helper()
	next := from
	for _, m := range all {
		for _, n := range m.numbers {
			if n != next {
				t.Fatalf("%s: packet %d where %d is due", m.name, n, next)
			}
			next++
		}
	}
	if next != to+1 {
		t.Errorf("packets %d to %d are in the files, want up to %d", from, next-1, to)
	}
}

func TestFilesBySize(t *testing.T) {
	const limit, n = 100_000, 2000
	k := newTrack(t, capture.Rotation{Size: limit}, 0)
	for i := range n {
		if err := k.put(i%2, time.Duration(i)*time.Millisecond, 500, uint64(i%50/49)); err != nil {
			t.Fatal(err)
		}
	}
	k.close(2*time.Second, 7)
	all := k.read()
	inSequence(t, all, 1, n)
	var received, dropped uint64
	for i, m := range all {
		received, dropped = received+m.received, dropped+m.dropped
		if i < len(all)-1 && (m.size <= limit || m.size > limit+1000 || m.received != uint64(len(m.numbers))+m.dropped || !m.end.Equal(all[i+1].start)) {
			t.Errorf("%s: %d bytes, %d packets, %d received, %d dropped, from %v to %v", m.name, m.size, len(m.numbers), m.received, m.dropped, m.start, m.end)
		}
	}
	// Seven packets of each source were left in the rings.
	if len(all) < 10 || received != n+n/50+14 || dropped != n/50 {
		t.Errorf("%d files: %d received, %d dropped", len(all), received, dropped)
	}
	if got := k.files.Written(0) + k.files.Written(1); got != n {
		t.Errorf("%d packets counted, want %d", got, n)
	}
}

// TestFilesRing overwrites in place: the files are the same, and as long as
// what is in them now.
func TestFilesRing(t *testing.T) {
	const limit, n = 50_000, 1000
	k := newTrack(t, capture.Rotation{Size: limit, Files: 3}, 0)
	inodes := make(map[string]fs.FileInfo)
	for i := range n {
		// The later packets are smaller, and the last file is short.
		if err := k.put(0, time.Duration(i)*time.Millisecond, 900-i/2, 0); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"120017.000", "120017.001", "120017.002"} {
			fi, err := os.Stat(filepath.Join(k.dir, name))
			if err != nil {
				continue
			}
			if was := inodes[name]; was != nil && !os.SameFile(was, fi) {
				t.Fatalf("%s is another file now", name)
			}
			inodes[name] = fi
		}
	}
	k.close(time.Second, 0)
	all := k.read()
	if len(all) != 3 {
		t.Fatalf("%d files", len(all))
	}
	slices.SortFunc(all, func(a, b member) int { return a.first.Compare(b.first) })
	inSequence(t, all, all[0].numbers[0], n)
	if got := k.files.Written(0); got != n {
		t.Errorf("%d packets counted, want %d", got, n)
	}
}

// TestFilesRingMemberGone makes a new file for one that was removed, and
// leaves alone what has taken its place.
func TestFilesRingMemberGone(t *testing.T) {
	fill := func(k *track) error {
		for range 100 {
			if err := k.put(0, 0, 900, 0); err != nil {
				return err
			}
		}
		return nil
	}
	k := newTrack(t, capture.Rotation{Size: 30_000, Files: 2}, 0)
	path := filepath.Join(k.dir, "120017.000")
	if err := fill(k); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(k.dir, "120017.001"), filepath.Join(k.dir, "kept")); err != nil {
		t.Fatal(err)
	}
	for range 3 { // more than once around
		if err := fill(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path, path+".mine"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fill(k); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v, want %v", err, fs.ErrExist)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the other file has %q, %v", b, err)
	}
	if err := k.put(0, 0, 900, 0); err == nil {
		t.Error("a packet was written without a file")
	}
	k.close(time.Second, 0)
	if got := k.files.Written(0); got != k.live[0].Written {
		t.Errorf("%d packets counted, want %d", got, k.live[0].Written)
	}
}

func TestFilesByTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		r     capture.Rotation
		want  []string
		first []uint32 // packet of each file
	}{
		{"from the start", capture.Rotation{Interval: 10 * time.Second},
			[]string{"120017.000", "120029.000", "120041.000", "120150.000"}, []uint32{1, 5, 9, 11}},
		{"by the clock", capture.Rotation{Interval: 10 * time.Second, Aligned: true},
			[]string{"120017.000", "120020.000", "120030.000", "120040.000", "120150.000"}, []uint32{1, 2, 6, 9, 11}},
		{"with sizes", capture.Rotation{Interval: 60 * time.Second, Aligned: true, Size: 4000, Files: 2},
			[]string{"120017.000", "120017.001", "120100.000"}, []uint32{9, 5, 11}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTrack(t, tt.r, 0)
			for i := range 10 {
				if err := k.put(0, time.Duration(i)*3*time.Second, 1000, 0); err != nil {
					t.Fatal(err)
				}
			}
			// Nothing for a while: no file either. Then the clock is set back.
			if err := k.put(0, 93*time.Second, 1000, 0); err != nil {
				t.Fatal(err)
			}
			if err := k.put(0, 60*time.Second, 1000, 0); err != nil {
				t.Fatal(err)
			}
			k.close(100*time.Second, 0)
			var names []string
			var first []uint32
			for _, m := range k.read() {
				names = append(names, m.name)
				first = append(first, m.numbers[0])
			}
			if !slices.Equal(names, tt.want) || !slices.Equal(first, tt.first) {
				t.Errorf("files %q begin with packets %d, want %q with %d", names, first, tt.want, tt.first)
			}
		})
	}
}

func TestFilesEndAfterSome(t *testing.T) {
	k := newTrack(t, capture.Rotation{Interval: time.Minute, Aligned: true, Files: 2}, 0)
	for _, after := range []time.Duration{0, 40, 45, 100} {
		if err := k.put(0, after*time.Second, 100, 0); err != nil {
			t.Fatal(err)
		}
	}
	if want := noon.Truncate(time.Minute).Add(2 * time.Minute); !k.last.Equal(want) {
		t.Errorf("the last file ends at %v, want %v", k.last, want)
	}
	if err := k.put(0, 103*time.Second, 100, 0); err != capture.ErrEnough {
		t.Errorf("error is %v, want %v", err, capture.ErrEnough)
	}
	k.close(103*time.Second, 0)
	inSequence(t, k.read(), 1, 4)
}

func TestFilesMaxBytes(t *testing.T) {
	for _, r := range []capture.Rotation{{}, {Size: 20_000}, {Size: 20_000, Files: 2}} {
		const limit = 123_456
		k := newTrack(t, r, limit)
		var err error
		for err == nil {
			err = k.put(1, 0, 700, 0)
		}
		if err != capture.ErrEnough {
			t.Fatal(err)
		}
		k.close(0, 0)
		var total int64
		all := k.read()
		for _, m := range all {
			total += m.size
		}
		if total > limit || r.Files == 0 && total < limit-2500 {
			t.Errorf("%+v: %d bytes in %d files, limit %d", r, total, len(all), limit)
		}
	}
}

// TestFilesOpenFails leaves the files before as they are, with exact counts.
func TestFilesOpenFails(t *testing.T) {
	k := newTrack(t, capture.Rotation{Size: 10_000}, 0)
	if err := os.Mkdir(filepath.Join(k.dir, "120017.001"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		err = k.put(0, 0, 500, 0)
	}
	if !errors.Is(err, syscall.EISDIR) {
		t.Errorf("error is %v, want %v", err, syscall.EISDIR)
	}
	k.close(0, 0)
	m := readMember(t, filepath.Join(k.dir, "120017.000"))
	if got := k.files.Written(0); got != uint64(len(m.numbers)) || got != k.live[0].Written {
		t.Errorf("%d packets counted, %d in the file, %d taken", got, len(m.numbers), k.live[0].Written)
	}
}

// TestFilesCut ends files by hand, and fails where there can be no next one.
func TestFilesCut(t *testing.T) {
	k := newTrack(t, capture.Rotation{Size: 10_000, Files: 3}, 0)
	for range 5 {
		if err := k.put(0, 0, 500, 0); err != nil {
			t.Fatal(err)
		}
		k.files.Cut()
	}
	if err := k.put(1, 0, 500, 3); err != nil {
		t.Fatal(err)
	}
	k.close(0, 0)
	all := k.read()
	if len(all) != 3 || len(all[0].numbers) != 1 || all[0].numbers[0] != 4 || all[2].numbers[0] != 6 || all[2].dropped != 3 {
		t.Errorf("files %+v", all)
	}

	k = newTrack(t, capture.Rotation{Size: 10_000}, 0)
	if err := os.Mkdir(filepath.Join(k.dir, "120017.001"), 0o700); err != nil {
		t.Fatal(err)
	}
	k.files.Cut()
	<-k.files.Failed()
	k.files.Cut()
	if err := k.files.Flush(); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("error is %v, want %v", err, syscall.EISDIR)
	}
	if err := k.put(0, 0, 500, 0); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("error is %v, want %v", err, syscall.EISDIR)
	}
}

// TestFilesNext begins files on request. One that has no packet yet is taken
// back, and what was received before the next one is told all the same.
func TestFilesNext(t *testing.T) {
	k := newTrack(t, capture.Rotation{}, 0)
	next := func(after time.Duration) {
		t.Helper()
		if err := k.files.Next(noon.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	k.live[0].Excluded = 7
	next(time.Second)
	next(2 * time.Second)
	if err := errors.Join(k.put(0, 2*time.Second, 500, 0), k.put(1, 2*time.Second, 500, 2)); err != nil {
		t.Fatal(err)
	}
	k.live[1].Excluded = 9
	next(3 * time.Second)
	if err := k.put(0, 3*time.Second, 500, 0); err != nil {
		t.Fatal(err)
	}
	k.close(4*time.Second, 0)
	all := k.read()
	inSequence(t, all, 1, 3)
	if len(all) != 2 || all[0].name != "120019.000" || all[1].name != "120020.001" || all[0].received != 2+7+9 {
		t.Fatalf("%+v", all)
	}
}

// TestFilesGrow: an interface that joined is in the files that follow, too.
func TestFilesGrow(t *testing.T) {
	k := newTrack(t, capture.Rotation{Size: 10_000}, 0)
	for range 3 {
		if err := k.put(0, 0, 500, 0); err != nil {
			t.Fatal(err)
		}
	}
	k.live = append(k.live, capture.Source{})
	k.files.Accounts(&capture.Result{Sources: k.live})
	joined := header("c").Interfaces
	if err := k.files.Grow(joined, []int{2}, []pcapwriter.Name{{Addr: netip.MustParseAddr("10.1.2.4"), Names: []string{"new.shop"}}}); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if err := k.put(2, 0, 500, 1); err != nil {
			t.Fatal(err)
		}
	}
	k.close(0, 0)
	all := k.read()
	inSequence(t, all, 1, 33)
	var received uint64
	for _, m := range all {
		received += m.received
		if b, err := os.ReadFile(filepath.Join(k.dir, m.name)); err != nil || bytes.Count(b, []byte("new.shop")) != 1 || m.interfaces != 3 {
			t.Errorf("%s: %d interfaces; %v", m.name, m.interfaces, err)
		}
	}
	if len(all) < 2 || received != 33+30 || k.files.Written(2) != 30 {
		t.Errorf("%d files, %d received, %d written of the interface that joined", len(all), received, k.files.Written(2))
	}
}

func TestRotationByTheClock(t *testing.T) {
	kolkata := time.FixedZone("IST", 5*3600+1800)
	at := time.Date(2026, 11, 23, 14, 47, 31, 5, kolkata)
	for _, tt := range []struct {
		interval    time.Duration
		begin, next string
	}{
		{time.Minute, "14:47:00", "14:48:00"},
		{15 * time.Minute, "14:45:00", "15:00:00"},
		{time.Hour, "14:00:00", "15:00:00"},
		{24 * time.Hour, "00:00:00", "00:00:00"},
	} {
		r := capture.Rotation{Interval: tt.interval, Aligned: true}
		begin, next := r.Begin(at), r.Next(at)
		if begin.Format(time.TimeOnly) != tt.begin || next.Format(time.TimeOnly) != tt.next || next.Sub(begin) != tt.interval {
			t.Errorf("%v: from %v to %v, want %s to %s", tt.interval, begin, next, tt.begin, tt.next)
		}
	}
}

// TestLongHeader: files whose header is longer than they shall be hold more than
// a packet each all the same.
func TestLongHeader(t *testing.T) {
	const n = 40
	k := newTrack(t, capture.Rotation{Size: 1}, 0)
	for i := range n {
		if err := k.put(0, time.Duration(i)*time.Millisecond, 50, 0); err != nil {
			t.Fatal(err)
		}
	}
	k.close(time.Second, 0)
	files, err := filepath.Glob(k.dir + "/*")
	if err != nil || len(files) < 2 || len(files) > n/2 {
		t.Errorf("%d files for %d packets, %v", len(files), n, err)
	}
}
