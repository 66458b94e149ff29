package capture_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"icap/afpacket"
	"icap/internal/capture"
)

// A receiver takes numbered packets, up to a number of them.
type receiver struct {
	t      *testing.T
	most   uint32
	got    uint32
	live   *capture.Result
	before uint32 // packets when Before was last called
}

func (r *receiver) Accounts(live *capture.Result) { r.live = live }
func (r *receiver) Flush() error                  { return nil }

func (r *receiver) Packet(p *capture.Packet) error {
	if r.got == r.most {
		return capture.ErrEnough
	}
	if n := binary.BigEndian.Uint32(p.Data); n != r.got {
		r.t.Fatalf("packet %d, want %d", n, r.got)
	}
	if got := r.live.Sources[0]; got.Written != uint64(r.got) {
		r.t.Fatalf("packet %d: the books have %d written", r.got, got.Written)
	}
	if want := uint64(p.Len); r.live.Sources[0].Excluded > want {
		r.t.Fatalf("packet %d: the books have %d excluded, want %d", r.got, r.live.Sources[0].Excluded, want)
	}
	r.got++
	return nil
}

// A sender is what Run is to a Sink. Its packets tell in their length how many
// were excluded before.
type sender struct {
	to   *capture.Delay
	live capture.Result
	sent uint32
	data []byte
}

func (s *sender) send(at time.Time) error {
	binary.BigEndian.PutUint32(s.data, s.sent)
	p := capture.Packet{Packet: afpacket.Packet{Time: at.UnixNano(), Data: s.data, Len: int(s.live.Sources[0].Excluded)}}
	s.sent++
	err := s.to.Packet(&p)
	if err == nil {
		s.live.Sources[0].Written++
		s.live.Sources[0].Excluded++
	}
	return err
}

func newDelay(t *testing.T, by time.Duration, limit int, most uint32) (*sender, *receiver) {
	r := &receiver{t: t, most: most}
	s := &sender{data: make([]byte, 100)}
	s.live.Sources = make([]capture.Source, 1)
	s.to = capture.NewDelay(capture.DelayConfig{To: r, By: by, Limit: limit, Before: func(time.Time) error {
		r.before = r.got
		return nil
	}})
	s.to.Accounts(&s.live)
	return s, r
}

// TestDelay holds packets by their timestamps, passes them on when they are
// due, and the rest at the end.
func TestDelay(t *testing.T) {
	const by = time.Hour
	s, r := newDelay(t, by, 1<<20, 1<<30)
	old := time.Now().Add(-2 * by)
	for i := range 10 {
		if err := s.send(old.Add(time.Duration(i) * by / 5)); err != nil {
			t.Fatal(err)
		}
	}
	if r.got != 5 { // those that are older than the last by the delay
		t.Errorf("%d packets were passed on, want 5", r.got)
	}
	if due := s.to.Due(); due != 1 {
		t.Errorf("due after %v, want at once", due)
	}
	if err := s.to.Flush(); err != nil || r.got != 6 || r.before != 5 {
		t.Errorf("flushed: %d packets, told ahead of %d; %v", r.got, r.before, err)
	}
	if due := s.to.Due(); due <= 0 || due > by/5 {
		t.Errorf("due after %v", due)
	}
	if left := s.to.Left(); left < by/2 || left > by {
		t.Errorf("%v left", left)
	}
	if err := s.to.End(); err != nil || r.got != 10 || s.to.Due() != 0 || s.to.Early() != 0 {
		t.Errorf("%d packets at the end, %v", r.got, err)
	}
}

// TestDelayLimit passes packets on early, in order and without memory for each.
func TestDelayLimit(t *testing.T) {
	s, r := newDelay(t, time.Hour, 4<<20, 1<<30)
	now := time.Now()
	const held = 4 << 20 / (192 + 100)
	send := func() {
		for range 10_000 {
			if err := s.send(now); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 4 {
		send()
	}
	if n := testing.AllocsPerRun(3, send); n > 1 {
		t.Errorf("10,000 packets take %v allocations", n)
	}
	if want := s.sent - held; r.got != want || s.to.Early() != uint64(want) {
		t.Errorf("%d passed on, %d of them early, want %d", r.got, s.to.Early(), want)
	}
	if err := s.to.End(); err != nil || r.got != s.sent {
		t.Errorf("%d of %d at the end, %v", r.got, s.sent, err)
	}
}

// TestDelayEnough ends a capture in order when the sink behind takes no more.
func TestDelayEnough(t *testing.T) {
	s, r := newDelay(t, time.Nanosecond, 1<<20, 3)
	old := time.Now().Add(-time.Hour)
	var err error
	for err == nil {
		err = s.send(old.Add(time.Duration(s.sent) * time.Second))
	}
	if !errors.Is(err, capture.ErrEnough) || r.got != 3 {
		t.Errorf("%v after %d packets", err, r.got)
	}
	if err := errors.Join(s.to.Flush(), s.to.End()); err != nil {
		t.Error(err)
	}
	s, r = newDelay(t, time.Hour, 1<<20, 0)
	if err := s.send(old.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.to.Flush(); !errors.Is(err, capture.ErrEnough) || r.got != 0 {
		t.Errorf("Flush: %v", err)
	}
	if err := s.to.Flush(); err != nil {
		t.Errorf("Flush after the end was told: %v", err)
	}
}

// TestDelayClock does not wait for a clock that was set back.
func TestDelayClock(t *testing.T) {
	s, r := newDelay(t, time.Minute, 1<<20, 1<<30)
	if err := s.send(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if due := s.to.Due(); due > time.Minute {
		t.Errorf("due after %v", due)
	}
	if err := s.to.Flush(); err != nil || r.got != 1 {
		t.Errorf("%d packets, %v", r.got, err)
	}
}
