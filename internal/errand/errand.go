// Package errand runs a part of a program in a process of its own: a helper,
// which keeps privileges that the program gives up, and does errands for it.
//
// The helper is the same program, executed anew with other arguments while it
// still has all privileges. A socket of unix(7) connects the two, over which a
// request is a datagram, and an answer bytes and open files, or an error:
//
//	client, err := errand.Start([]string{"icap", "helper"}, namespace)
//	answer, err := client.Ask(ctx, request)
//
// and in the helper
//
//	err := errand.Serve(func(ctx context.Context, request []byte) (errand.Answer, error) {
//		...
//	})
//
// # Trust
//
// The helper takes its client for hostile: a request is at most MaxRequest bytes,
// and brings no files. What else the helper needs it is given when it is started,
// at which time nobody can have taken over the program: see [File]. What the bytes
// mean is for the two ends to say. The client trusts the helper.
//
// The helper ends with its client, by the end of the socket. If the helper ends
// before, all that the client waits for ends with ErrGone.
package errand

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// MaxRequest is the longest request, in bytes.
const MaxRequest = 64 << 10

// maxAnswer bounds what the client collects of one answer.
const maxAnswer = 64 << 20

// ErrGone means that the helper has ended.
var ErrGone = errors.New("the helper has ended")

// An Answer is what the helper returns. Files are closed once they are sent;
// at the client they are the caller's.
type Answer struct {
	Data  []byte
	Files []*os.File
}

// A Handler does an errand. It may be called by several goroutines at a time. The
// context ends with the client, and when the client does not wait any more.
type Handler func(ctx context.Context, request []byte) (Answer, error)

// File is the i-th of the files that Start was given. It is for the helper.
func File(i int) *os.File { return os.NewFile(uintptr(socketFD+1+i), "given") }

// socketFD is where a helper finds its socket: behind the three that every
// program has.
const socketFD = 3

// Serve answers requests until the client is gone. It is for the process that
// Start has started.
func Serve(h Handler) error { return serve(h) }

// A frame is a datagram: a number of the request, what it is, and bytes.
type frame struct {
	number uint32
	kind   kind
	data   []byte
}

// A kind says what a frame is.
type kind uint8

const (
	kindRequest kind = iota
	kindCancel       // the client does not wait any more
	kindPart         // of an answer, with more to come
	kindAnswer       // or the last part of it
	kindError        // its text is the data
)

const (
	frameHeader = 5
	// longestFrame fits into what a socket may have on its way, by
	// net.core.wmem_default.
	longestFrame = frameHeader + MaxRequest
)

func (f *frame) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, f.number)
	return append(append(b, byte(f.kind)), f.data...)
}

// parseFrame reads a datagram, whose bytes the frame keeps.
func parseFrame(b []byte) (f frame, err error) {
	if len(b) < frameHeader {
		return f, fmt.Errorf("a frame of %d bytes", len(b))
	}
	f = frame{binary.LittleEndian.Uint32(b), kind(b[4]), b[frameHeader:]}
	if f.kind > kindError {
		return f, fmt.Errorf("a frame of kind %d", f.kind)
	}
	return f, nil
}
