package lab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// served connects to a server of one connection.
func served(t *testing.T, handle func(string) response) net.Conn {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	_ = b.SetDeadline(time.Now().Add(5 * time.Second))
	go serveConn(a, handle)
	return b
}

func TestHTTP(t *testing.T) {
	big := strings.Repeat("x", 3*maxBody)
	c := served(t, func(path string) response {
		switch path {
		case "/big":
			return response{status: 200, body: big}
		case "/empty":
			return response{status: 400}
		}
		return response{status: 200, body: path}
	})
	b := bufio.NewReader(c)
	for i, want := range []Exchange{
		{Status: 200, Body: "/a?b=c", Size: 6},
		{Status: 400},
		{Status: 200, Body: big[:maxBody], Size: len(big)},
	} {
		path := []string{"/a?b=c", "/empty", "/big"}[i]
		var got Exchange
		if err := get(c, b, Request{Path: path}, i == 2, &got); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got != want {
			t.Errorf("%s: got %d, %d bytes; want %d, %d bytes", path, got.Status, got.Size, want.Status, want.Size)
		}
	}
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the last answer: read %d, %v; want EOF", n, err)
	}
}

// TestHTTPNonsense hangs up on what is no request.
func TestHTTPNonsense(t *testing.T) {
	for _, line := range []string{"", "GET", "GET /", "POST / HTTP/1.1", "\x16\x03\x01"} {
		c := served(t, func(string) response { return response{status: 200} })
		if _, err := fmt.Fprintf(c, "%s\r\n\r\n", line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if answer, err := io.ReadAll(c); err != nil || len(answer) != 0 {
			t.Errorf("%q: got %q, %v; want nothing", line, answer, err)
		}
	}
}
