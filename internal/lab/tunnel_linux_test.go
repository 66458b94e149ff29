package lab

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

// tunnelTo is whom tunnels of tests are for.
var tunnelTo = netip.MustParseAddrPort("10.244.0.12:8080")

// tcpPair is a TCP connection from the test to itself.
func tcpPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{a, b} {
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// load is more than any window of HTTP/2 in the tests.
func load() []byte { return bytes.Repeat([]byte("icap-lab"), 3<<20/8) }

// echoBack copies what comes through a tunnel back into it.
func echoBack(t *tunnel) error {
	if _, err := io.Copy(t, t); err != nil {
		return err
	}
	return t.CloseWrite()
}

// TestTunnelBothEnds has our client talk to our server.
func TestTunnelBothEnds(t *testing.T) {
	a, b := tcpPair(t)
	served := make(chan error, 1)
	go func() {
		s, to, err := acceptTunnel(b)
		if err != nil || to != tunnelTo {
			t.Errorf("asked for %v, %v; want %v", to, err, tunnelTo)
			served <- err
			return
		}
		if err := s.reply("200", false); err != nil {
			t.Error(err)
		}
		err = echoBack(s)
		_ = s.Close()
		served <- err
	}()
	c, err := connectTunnel(a, tunnelTo)
	if err != nil {
		t.Fatal(err)
	}
	exchangeLoad(t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// exchangeLoad sends a load through a tunnel and reads it back.
func exchangeLoad(t *testing.T, c *tunnel) {
	t.Helper()
	want := load()
	go func() {
		_, err := c.Write(want)
		if err == nil {
			err = c.CloseWrite()
		}
		if err != nil {
			t.Error(err)
		}
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes back, %v; want %d", len(got), err, len(want))
	}
}

// plainHTTP2 is HTTP/2 without TLS, by package net/http.
func plainHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// TestTunnelToServer has our client talk to the server of net/http.
func TestTunnelToServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: plainHTTP2(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != tunnelTo.String() {
			t.Errorf("asked %s %s", r.Method, r.Host)
		}
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(flusher{w}, r.Body); err != nil {
			t.Error(err)
		}
	})}
	go server.Serve(l)
	defer server.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c, err := connectTunnel(a, tunnelTo)
	if err != nil {
		t.Fatal(err)
	}
	exchangeLoad(t, c)
}

// A flusher sends what is written at once.
type flusher struct{ http.ResponseWriter }

func (f flusher) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}

// TestTunnelFromClient has the client of net/http talk to our server.
func TestTunnelFromClient(t *testing.T) {
	a, b := tcpPair(t)
	go func() {
		s, to, err := acceptTunnel(b)
		if err != nil || to != tunnelTo {
			t.Errorf("asked for %v, %v; want %v", to, err, tunnelTo)
			return
		}
		if err := s.reply("200", false); err != nil {
			t.Error(err)
		}
		if err := echoBack(s); err != nil {
			t.Error(err)
		}
	}()
	c := &http.Transport{Protocols: plainHTTP2(), DialContext: func(context.Context, string, string) (net.Conn, error) { return a, nil }}
	defer c.CloseIdleConnections()
	want := load()
	answer, err := c.RoundTrip(&http.Request{
		Method: http.MethodConnect,
		URL:    &url.URL{Scheme: "http", Host: tunnelTo.String()},
		Host:   tunnelTo.String(),
		Header: http.Header{},
		Body:   io.NopCloser(bytes.NewReader(want)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !bytes.Equal(got, want) {
		t.Errorf("got %d, %d bytes back, %v; want %d", answer.StatusCode, len(got), err, len(want))
	}
}

// TestTunnelRefused has a tunnel that leads nowhere, and one that breaks off.
func TestTunnelRefused(t *testing.T) {
	a, b := tcpPair(t)
	go func() {
		if s, _, err := acceptTunnel(b); err == nil {
			_ = s.reply("503", true)
			_ = s.Close()
		}
	}()
	if _, err := connectTunnel(a, tunnelTo); err == nil {
		t.Error("connected to nowhere")
	}

	a, b = tcpPair(t)
	go func() {
		if s, _, err := acceptTunnel(b); err == nil {
			_ = s.reply("200", false)
			_ = s.Close()
		}
	}()
	c, err := connectTunnel(a, tunnelTo)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read from a tunnel that was reset: %v", err)
	}
}

func TestFrames(t *testing.T) {
	for name, f := range map[string]frame{
		"padding only":   {kind: frameData, flags: flagPadded},
		"too much":       {kind: frameData, flags: flagPadded, payload: []byte{2, 0}},
		"short priority": {kind: frameHeaders, flags: flagPriority, payload: make([]byte, 4)},
	} {
		if b, err := f.content(); err == nil {
			t.Errorf("%s: got %q", name, b)
		}
	}
	whole := frame{kind: frameHeaders, flags: flagPadded | flagPriority, stream: 1, payload: append([]byte{1, 0, 0, 0, 0, 0}, "block\x00"...)}
	got, err := readFrame(bytes.NewReader(whole.append(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := got.content(); err != nil || string(b) != "block" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := readFrame(bytes.NewReader([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})); err == nil {
		t.Error("read a frame that is larger than allowed")
	}
}
