package capture

// Books are the accounts for a Sink behind one that holds packets back: what
// this was given so far, where the capture's own accounts count what is held as
// well.
type Books struct {
	live *Result
	own  Result
}

// Open begins the books of a sink, by the accounts of the capture.
func (b *Books) Open(live *Result, of Sink) {
	b.live = live
	b.grow()
	if a, ok := of.(Accountant); ok {
		a.Accounts(&b.own)
	}
}

// Excluded is how many packets were left out so far of the source of a packet
// that comes to be held. Passed wants to know it again.
func (b *Books) Excluded(p *Packet) uint64 {
	if b.live == nil {
		return 0
	}
	b.grow()
	return b.live.Sources[p.Source].Excluded
}

// Passed counts a packet that the sink behind has taken.
func (b *Books) Passed(p *Packet, excluded uint64) {
	if b.live == nil {
		return
	}
	s := &b.own.Sources[p.Source]
	s.Written++
	s.Told += p.DroppedBefore
	s.Excluded = excluded
}

// grow makes room for sources that have joined.
func (b *Books) grow() {
	if n := len(b.live.Sources) - len(b.own.Sources); n > 0 {
		b.own.Sources = append(b.own.Sources, make([]Source, n)...)
	}
}
