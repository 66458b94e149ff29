package lab

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// The stand-ins speak just enough HTTP/1.1 for their own requests: GET, one
// request a connection. The net/http package would cost the program that
// holds the lab several megabytes.

const (
	// exchangeTimeout bounds a request from dialling to the last byte.
	exchangeTimeout = 10 * time.Second

	// maxBody is how much of a body an Exchange keeps.
	maxBody = 64 << 10

	// headerPeer tells the requester the address that the server saw.
	headerPeer = "X-Lab-Peer"
)

// A response is the answer of a handler.
type response struct {
	status int
	body   string
	abort  bool // abort ends the connection with a reset instead.
}

// serveHTTP answers connections until the listener is closed.
func serveHTTP(l net.Listener, handle func(path string) response) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serveConn(c, handle)
	}
}

// serveConn answers one request and hangs up. What has been asked wrongly is
// not worth an answer between stand-ins.
func serveConn(c net.Conn, handle func(path string) response) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(exchangeTimeout))
	r := textproto.NewReader(bufio.NewReader(c))
	line, err := r.ReadLine()
	if err != nil {
		return
	}
	if _, err := r.ReadMIMEHeader(); err != nil {
		return
	}
	method, rest, _ := strings.Cut(line, " ")
	path, _, ok := strings.Cut(rest, " ")
	if method != "GET" || !ok {
		return
	}
	a := handle(path)
	if a.abort {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		return
	}
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%s: %s\r\n"+
		"Content-Type: text/plain\r\nContent-Length: %d\r\n"+
		"Connection: close\r\n\r\n%s",
		a.status, statusText(a.status), headerPeer, c.RemoteAddr(), len(a.body), a.body)
}

func statusText(status int) string {
	switch status {
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	}
	return "Bad Gateway"
}

// get makes a request on an open connection and fills in the exchange.
func get(c net.Conn, host netip.AddrPort, path string, x *Exchange) error {
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n"+
		"User-Agent: icap-lab\r\nConnection: close\r\n\r\n", path, host)
	if err != nil {
		return err
	}
	b := bufio.NewReader(c)
	r := textproto.NewReader(b)
	line, err := r.ReadLine()
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return fmt.Errorf("status line %q", line)
	}
	status, err := strconv.Atoi(words[1])
	if err != nil {
		return fmt.Errorf("status line %q: %w", line, err)
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(b, maxBody))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, b)
	if err != nil {
		return err
	}
	x.Status, x.Body, x.Size = status, string(body), len(body)+int(more)
	x.Peer = parseAddrPort(header.Get(headerPeer))
	return nil
}

// addrPort is the address of an end of a TCP connection, as rules and
// captures show it: IPv4 never in its IPv6 form.
func addrPort(a net.Addr) netip.AddrPort { return parseAddrPort(a.String()) }

func parseAddrPort(s string) netip.AddrPort {
	p, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
