package lab

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// A Session is a connection of a stand-in that stays open between requests.
// The proxies end a connection after two minutes.
type Session struct {
	from   *Pod
	number int
	r      Request
}

// lastSession numbers the sessions of a lab.
type lastSession struct{ n atomic.Int64 }

// Open lets the application of a pod connect, and ask once.
func (l *Lab) Open(ctx context.Context, from *Pod, r Request) (*Session, error) {
	s := &Session{from, int(l.session.n.Add(1)), r}
	_, err := s.call(ctx, opOpen, r.Path)
	return s, err
}

// Get asks for a path.
func (s *Session) Get(ctx context.Context, path string) (Exchange, error) {
	return s.call(ctx, opGet, path)
}

// Close asks for a path and ends the connection.
func (s *Session) Close(ctx context.Context, path string) (Exchange, error) {
	return s.call(ctx, opHangUp, path)
}

func (s *Session) call(ctx context.Context, o op, path string) (Exchange, error) {
	r := s.r
	r.Path = path
	x, err := s.from.app.call(ctx, command{Op: o, Session: s.number, Request: r})
	if err == nil && x.Err != "" {
		err = errors.New(x.Err)
	}
	if err != nil {
		return x, fmt.Errorf("session from %s to %s: %w", s.from.Name, s.r.To, err)
	}
	return x, nil
}

// Forge lets productpage call Outside, and then ends the proxy's connection to
// it by a RST that is not Outside's: the node sends it in that name, with the
// right numbers and this TTL.
func (l *Lab) Forge(ctx context.Context, ttl uint8) error { return l.forge(ctx, ttl) }
