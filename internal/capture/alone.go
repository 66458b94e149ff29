package capture

import (
	"context"
	"time"

	"icap/afpacket"
)

// alone is run for a single ring: with nothing to merge it with, each block is
// written as it comes, and the goroutine that writes also waits. All but the
// waiting is done under the lock, for answerAlone.
func (m *merge) alone(ctx context.Context) error {
	ring := m.config.Rings[0]
	defer context.AfterFunc(ctx, m.stopAlone)()
	m.watchers.Go(m.answerAlone)
	for {
		if block, ok := ring.Take(); ok {
			if end, err := m.writeBlock(block); end {
				return err
			}
			continue
		}
		if err := m.flushAlone(); err != nil {
			return err
		}
		if end, err := m.waited(ring.Wait()); end {
			return err
		}
	}
}

// writeBlock writes a block of a single ring, and says whether that is the end.
func (m *merge) writeBlock(block afpacket.Block) (end bool, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[0]++
	m.runs = append(m.runs, m.newRun(0, block, time.Time{}))
	if err := m.writeRun(m.runs[0], never); err != nil {
		return true, m.failed(err)
	}
	return false, nil
}

// flushAlone writes out what the sink has, since no more is at hand.
func (m *merge) flushAlone() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.config.Sink.Flush()
}

// waited takes note of what the wait for a single ring returned, and says
// whether that is the end.
func (m *merge) waited(err error) (end bool, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.handle(signal{0, err}); err != nil {
		return true, err
	}
	if !m.ended[0] {
		return false, nil
	}
	if err := m.config.Sink.Flush(); err != nil {
		return true, err
	}
	return true, m.verdict()
}

// stopAlone takes the ring off the wire, which ends the wait for it.
func (m *merge) stopAlone() {
	m.stopping.Store(true)
	_ = m.config.Rings[0].Stop() // if its interface is gone it cannot be stopped, nor need it
}

// answerAlone answers Ask while a single ring is captured, and ends that when
// the sink has failed.
func (m *merge) answerAlone() {
	failed := m.sinkFailed()
	for {
		select {
		case <-failed:
			failed = nil
			_ = m.config.Rings[0].Interrupt() // then the sink is asked for its error
		case <-m.config.Ask:
			m.mu.Lock()
			m.account()
			m.config.Answer(&m.result)
			m.mu.Unlock()
		case <-m.done:
			return
		}
	}
}
