package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
)

// tunnelWindow is how much a peer may send ahead on a stream.
const tunnelWindow = 1 << 20

// A tunnel is HBONE: one stream that CONNECT has opened on a connection of
// HTTP/2. It reads and writes what goes through the stream. Ztunnel's real
// connections carry many streams; those of the lab carry one, so that one
// connection in is one connection out.
type tunnel struct {
	net.Conn // Conn is that of TLS.

	out  sync.Mutex // out is held while a frame is written.
	dec  *hpack.Decoder
	done chan struct{} // done is closed when nothing more will come.

	mu      sync.Mutex
	change  sync.Cond
	id      uint32 // id is the stream's, 0 before there is one.
	headers map[string]string
	data    []byte
	ended   bool  // ended means that the peer has said all.
	said    bool  // said means that we have.
	err     error // err is why the connection is of no use.

	conn, stream, initial int64 // How much we may send, and may at first.
}

func newTunnel(c net.Conn) *tunnel {
	t := &tunnel{Conn: c, done: make(chan struct{}), conn: startWindow, stream: startWindow, initial: startWindow}
	t.change.L = &t.mu
	t.dec = hpack.NewDecoder(4096, nil)
	return t
}

// connectTunnel asks for a connection to an address at the other end.
func connectTunnel(c net.Conn, to netip.AddrPort) (*tunnel, error) {
	t := newTunnel(c)
	t.id = 1
	block, err := encodeHeaders([2]string{":method", "CONNECT"}, [2]string{":authority", to.String()})
	if err != nil {
		return nil, err
	}
	b := t.greet([]byte(preface))
	b = frame{kind: frameHeaders, flags: flagEndHeaders, stream: t.id, payload: block}.append(b)
	if _, err := c.Write(b); err != nil {
		return nil, err
	}
	go t.receive(bufio.NewReader(c))
	h, err := t.await()
	if err == nil && h[":status"] != "200" {
		err = errors.Join(fmt.Errorf("tunnel to %s: status %q", to, h[":status"]), t.Close())
	}
	return t, err
}

// acceptTunnel waits for CONNECT and returns whom it is for.
func acceptTunnel(c net.Conn) (*tunnel, netip.AddrPort, error) {
	t := newTunnel(c)
	r := bufio.NewReader(c)
	b := make([]byte, len(preface))
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, netip.AddrPort{}, err
	}
	if string(b) != preface {
		return nil, netip.AddrPort{}, errors.New("tunnel: not HTTP/2")
	}
	if _, err := c.Write(t.greet(nil)); err != nil {
		return nil, netip.AddrPort{}, err
	}
	go t.receive(r)
	h, err := t.await()
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	to, err := netip.ParseAddrPort(h[":authority"])
	if h[":method"] != "CONNECT" || err != nil {
		return nil, to, errors.Join(t.reply("400", true), errors.New("tunnel: not CONNECT to an address"))
	}
	return t, to, nil
}

// greet is what either end says at the start.
func (t *tunnel) greet(b []byte) []byte {
	b = frame{kind: frameSettings, payload: append(setting(settingStreams, 1), setting(settingWindow, tunnelWindow)...)}.append(b)
	return frame{kind: frameWindow, payload: binary.BigEndian.AppendUint32(nil, tunnelWindow)}.append(b)
}

// reply answers CONNECT.
func (t *tunnel) reply(status string, last bool) error {
	block, err := encodeHeaders([2]string{":status", status})
	if err != nil {
		return err
	}
	f := frame{kind: frameHeaders, flags: flagEndHeaders, stream: t.id, payload: block}
	if last {
		f.flags |= flagEndStream
	}
	return t.send(f)
}

func (t *tunnel) send(f frame) error {
	t.out.Lock()
	defer t.out.Unlock()
	_, err := t.Conn.Write(f.append(nil))
	return err
}

// await waits for the headers of the other end.
func (t *tunnel) await() (map[string]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.headers == nil && t.err == nil {
		t.change.Wait()
	}
	if t.headers == nil {
		return nil, t.err
	}
	return t.headers, nil
}

// Read reads what came through the stream.
func (t *tunnel) Read(b []byte) (int, error) {
	t.mu.Lock()
	for len(t.data) == 0 && !t.ended && t.err == nil {
		t.change.Wait()
	}
	n := copy(b, t.data)
	t.data = t.data[n:]
	err := t.err
	if t.ended {
		err = io.EOF
	}
	ended := t.ended
	t.mu.Unlock()
	if n == 0 {
		return 0, err
	}
	return n, t.allow(n, ended)
}

// allow lets the peer send n bytes more.
func (t *tunnel) allow(n int, ended bool) error {
	more := binary.BigEndian.AppendUint32(nil, uint32(n))
	if ended {
		return nil
	}
	if err := t.send(frame{kind: frameWindow, payload: more}); err != nil {
		return err
	}
	return t.send(frame{kind: frameWindow, stream: t.id, payload: more})
}

// Write sends through the stream, as fast as the peer allows.
func (t *tunnel) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		n, err := t.reserve(len(b) - sent)
		if err == nil {
			err = t.send(frame{kind: frameData, stream: t.id, payload: b[sent : sent+n]})
		}
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// reserve waits until at least a byte may be sent.
func (t *tunnel) reserve(want int) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.err == nil && (t.conn <= 0 || t.stream <= 0) {
		t.change.Wait()
	}
	if t.err != nil {
		return 0, t.err
	}
	n := min(int64(want), t.conn, t.stream, maxFrame)
	t.conn -= n
	t.stream -= n
	return int(n), nil
}

// CloseWrite ends our direction of the stream.
func (t *tunnel) CloseWrite() error {
	t.mu.Lock()
	said := t.said
	t.said = true
	t.mu.Unlock()
	if said {
		return nil
	}
	return t.send(frame{kind: frameData, flags: flagEndStream, stream: t.id})
}

// Close ends the connection: in an orderly way if both directions of the
// stream have ended, and otherwise by resetting the stream first.
func (t *tunnel) Close() error {
	t.mu.Lock()
	orderly := t.ended && t.said
	t.mu.Unlock()
	if !orderly {
		_ = t.send(frame{kind: frameReset, stream: t.id, payload: binary.BigEndian.AppendUint32(nil, codeCancel)})
	}
	_ = t.send(frame{kind: frameGoAway, payload: make([]byte, 8)})
	if c, ok := t.Conn.(duplex); ok {
		_ = c.CloseWrite()
	}
	if c, ok := t.Conn.(interface{ NetConn() net.Conn }); ok {
		if tcp, ok := c.NetConn().(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}
	select {
	case <-t.done:
	case <-time.After(lingerTimeout):
	}
	return t.Conn.Close()
}
