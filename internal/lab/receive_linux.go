package lab

import (
	"encoding/binary"
	"errors"
	"io"
)

// errReset is a stream that the peer has reset.
var errReset = errors.New("tunnel: reset by peer")

// receive takes in frames until the connection ends.
func (t *tunnel) receive(r io.Reader) {
	defer close(t.done)
	for {
		f, err := readFrame(r)
		if err == nil {
			err = t.handle(r, f)
		}
		if err != nil {
			t.mu.Lock()
			t.err = errors.Join(t.err, err)
			t.change.Broadcast()
			t.mu.Unlock()
			return
		}
	}
}

// handle takes in a frame. An error ends the connection.
func (t *tunnel) handle(r io.Reader, f frame) error {
	switch f.kind {
	case frameSettings:
		if f.has(flagAck) {
			return nil
		}
		t.settings(f.payload)
		return t.send(frame{kind: frameSettings, flags: flagAck})
	case framePing:
		if f.has(flagAck) {
			return nil
		}
		return t.send(frame{kind: framePing, flags: flagAck, payload: f.payload})
	case frameWindow:
		return t.widen(f)
	case frameHeaders:
		return t.opened(r, f)
	case frameData:
		return t.received(f)
	case frameReset:
		t.mu.Lock()
		defer t.mu.Unlock()
		if f.stream == t.id {
			t.err = errReset
			t.change.Broadcast()
		}
	}
	return nil
}

// settings takes in the one setting that matters.
func (t *tunnel) settings(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; len(b) >= 6; b = b[6:] {
		if binary.BigEndian.Uint16(b) == settingWindow {
			w := int64(binary.BigEndian.Uint32(b[2:]))
			t.stream += w - t.initial
			t.initial = w
		}
	}
	t.change.Broadcast()
}

// widen takes in that we may send more.
func (t *tunnel) widen(f frame) error {
	if len(f.payload) != 4 {
		return errors.New("tunnel: WINDOW_UPDATE of another length than 4")
	}
	n := int64(binary.BigEndian.Uint32(f.payload))
	t.mu.Lock()
	defer t.mu.Unlock()
	switch f.stream {
	case 0:
		t.conn += n
	case t.id:
		t.stream += n
	}
	t.change.Broadcast()
	return nil
}

// opened takes in headers: CONNECT or the answer to it.
func (t *tunnel) opened(r io.Reader, f frame) error {
	block, err := f.content()
	if err != nil {
		return err
	}
	for last := f; !last.has(flagEndHeaders); {
		if last, err = readFrame(r); err != nil {
			return err
		}
		if last.kind != frameContinue || last.stream != f.stream {
			return errors.New("tunnel: headers are not continued")
		}
		block = append(block, last.payload...)
	}
	fields, err := t.dec.DecodeFull(block)
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.id == 0 {
		t.id = f.stream
	}
	mine := t.id == f.stream
	if mine && t.headers == nil {
		t.headers = map[string]string{}
		for _, h := range fields {
			t.headers[h.Name] = h.Value
		}
	}
	if mine && f.has(flagEndStream) {
		t.ended = true
	}
	t.change.Broadcast()
	t.mu.Unlock()
	if mine {
		return nil
	}
	return t.send(frame{kind: frameReset, stream: f.stream, payload: binary.BigEndian.AppendUint32(nil, codeRefused)})
}

// received takes in data. What is not for the reader is allowed for at once.
func (t *tunnel) received(f frame) error {
	b, err := f.content()
	if err != nil {
		return err
	}
	t.mu.Lock()
	if f.stream == t.id {
		t.data = append(t.data, b...)
		t.ended = t.ended || f.has(flagEndStream)
	}
	t.change.Broadcast()
	t.mu.Unlock()
	if pad := len(f.payload) - len(b); pad > 0 {
		return t.allow(pad, f.has(flagEndStream))
	}
	return nil
}
