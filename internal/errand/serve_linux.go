package errand

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
)

// maxRunning is how many errands there are at a time at most. Beyond, the client
// has to wait.
const maxRunning = 4096

// A server is the end of the part that has kept its privileges.
type server struct {
	wire    *wire
	handler Handler
	slots   chan struct{}

	mu      sync.Mutex
	running map[uint32]context.CancelFunc
}

func serve(h Handler) error {
	w, err := newWire(os.NewFile(socketFD, "client"))
	if err != nil {
		return err
	}
	return serveOn(w, h)
}

func serveOn(w *wire, h Handler) error {
	defer w.conn.Close()
	s := &server{wire: w, handler: h, slots: make(chan struct{}, maxRunning), running: make(map[uint32]context.CancelFunc)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	buffer := make([]byte, longestFrame)
	for {
		f, files, err := w.receive(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		closeAll(files)
		switch f.kind {
		case kindRequest:
			s.slots <- struct{}{}
			go s.run(ctx, f.number, append([]byte(nil), f.data...))
		case kindCancel:
			s.cancel(f.number)
		default:
			return errors.New("an answer where a request is due")
		}
	}
}

// run does an errand. What cannot be answered is given up: the client is gone.
func (s *server) run(ctx context.Context, number uint32, request []byte) {
	defer func() { <-s.slots }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.running[number] = cancel
	s.mu.Unlock()
	defer s.cancel(number)
	answer, err := s.handler(ctx, request)
	defer closeAll(answer.Files)
	if err != nil {
		text := err.Error()
		_ = s.wire.send(&frame{number, kindError, []byte(text[:min(len(text), MaxRequest)])}, nil)
		return
	}
	for ; len(answer.Data) > MaxRequest; answer.Data = answer.Data[MaxRequest:] {
		if s.wire.send(&frame{number, kindPart, answer.Data[:MaxRequest]}, nil) != nil {
			return
		}
	}
	_ = s.wire.send(&frame{number, kindAnswer, answer.Data}, answer.Files)
}

// cancel ends the context of an errand, if it still runs.
func (s *server) cancel(number uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel, ok := s.running[number]; ok {
		cancel()
		delete(s.running, number)
	}
}
