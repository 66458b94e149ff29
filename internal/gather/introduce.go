package gather

import "icap/pcapwriter"

// introduce writes what goes ahead of the packets.
func (m *merge) introduce() error {
	c := &m.ahead
	if m.writer == nil {
		return m.begin()
	}
	defer c.clear()
	for i := range c.interfaces {
		if err := m.writer.AddInterface(&c.interfaces[i]); err != nil {
			return err
		}
	}
	if len(c.names) > 0 {
		if err := m.writer.AddNames(c.names); err != nil {
			return err
		}
	}
	return m.writer.AddBlocks(c.blocks)
}

// begin writes the header, as soon as there is an interface. Until then all
// goes back to what waits.
func (m *merge) begin() (err error) {
	c, g := &m.ahead, m.g
	if len(c.interfaces) > 0 {
		defer c.clear()
		h := pcapwriter.Header{Section: g.config.Section, Interfaces: c.interfaces, Names: c.names}
		if m.writer, err = pcapwriter.NewWriter(g.out, &h, pcapwriter.Config{}); err != nil {
			return err
		}
		return m.writer.AddBlocks(c.blocks)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.control.takeBack(c)
	return nil
}
