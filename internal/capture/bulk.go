package capture

// inBulk is the sink, if packets may go to it without a look at each.
func inBulk(c *Config) *Files {
	f, ok := c.Sink.(*Files)
	if !ok || c.Hook != nil || c.Count > 0 || c.More != nil || !f.plain() {
		return nil
	}
	return f
}

// writeBulk is writeStraight that leaves to the sink what has nothing special.
func (m *merge) writeBulk(r *run, source *Source) error {
	for m.untold[r.ring] != 0 || r.time < m.last {
		if err := m.writePacket(r, source, r.offset); err != nil {
			return err
		}
		if r.next(); r.offset == 0 || r.jumbled {
			return nil
		}
	}
	for r.offset != 0 && !r.jumbled {
		s, err := m.bulk.frames(r, m.last)
		m.last = s.last
		m.written += uint64(s.packets)
		source.Written += uint64(s.packets)
		if err != nil {
			return err
		}
		if s.packets == 0 && !r.jumbled {
			return m.writeStraight(r, source)
		}
	}
	return nil
}
