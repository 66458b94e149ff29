package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http2/hpack"
)

// The frames of HTTP/2, RFC 9113 section 6, as far as one stream needs them.
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7
	frameWindow   = 8
	frameContinue = 9

	flagAck        = 1
	flagEndStream  = 1
	flagEndHeaders = 4
	flagPadded     = 8
	flagPriority   = 32

	settingStreams = 3 // SETTINGS_MAX_CONCURRENT_STREAMS
	settingWindow  = 4 // SETTINGS_INITIAL_WINDOW_SIZE

	frameHeaderLen = 9
	maxFrame       = 16 << 10
	startWindow    = 65535
	codeCancel     = 8 // CANCEL, why a stream is reset.
	codeRefused    = 7 // REFUSED_STREAM
)

// preface is what a client of HTTP/2 says first.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// A frame is one of HTTP/2.
type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func (f frame) has(flag byte) bool { return f.flags&flag != 0 }

// readFrame reads the next frame.
func readFrame(r io.Reader) (frame, error) {
	var h [frameHeaderLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	n := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	if n > maxFrame {
		return frame{}, fmt.Errorf("frame of %d bytes", n)
	}
	f := frame{kind: h[3], flags: h[4], payload: make([]byte, n)}
	f.stream = binary.BigEndian.Uint32(h[5:]) &^ (1 << 31)
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

// append puts the frame at the end of b.
func (f frame) append(b []byte) []byte {
	n := len(f.payload)
	b = append(b, byte(n>>16), byte(n>>8), byte(n), f.kind, f.flags)
	b = binary.BigEndian.AppendUint32(b, f.stream)
	return append(b, f.payload...)
}

// content is the payload without padding and priority.
func (f frame) content() ([]byte, error) {
	b, pad := f.payload, 0
	if f.has(flagPadded) {
		if len(b) == 0 {
			return nil, errors.New("padded frame is empty")
		}
		pad, b = int(b[0]), b[1:]
	}
	if f.kind == frameHeaders && f.has(flagPriority) {
		if len(b) < 5 {
			return nil, errors.New("frame is too short for its priority")
		}
		b = b[5:]
	}
	if pad > len(b) {
		return nil, errors.New("frame is shorter than its padding")
	}
	return b[:len(b)-pad], nil
}

// setting is the payload of SETTINGS with one setting.
func setting(id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value)
}

// encodeHeaders makes a header block of pairs.
func encodeHeaders(pairs ...[2]string) ([]byte, error) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, p := range pairs {
		if err := e.WriteField(hpack.HeaderField{Name: p[0], Value: p[1]}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
