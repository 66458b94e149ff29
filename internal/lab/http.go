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

// The stand-ins speak just enough HTTP/1.1 for their own requests: GET, and
// lengths known in advance. The net/http package would cost the program that
// holds the lab several megabytes.

const (
	// exchangeTimeout bounds a request from dialling to the last byte.
	exchangeTimeout = 10 * time.Second

	// connLife bounds a connection: long enough for one that a test leaves
	// open on purpose, short enough to end some day.
	connLife = 2 * time.Minute

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

// serveConn answers requests until one of them asks to hang up. What has been
// asked wrongly is not worth an answer between stand-ins.
func serveConn(c net.Conn, handle func(path string) response) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(connLife))
	r := textproto.NewReader(bufio.NewReader(c))
	for {
		path, last, err := readRequest(r)
		if err != nil {
			return
		}
		a := handle(path)
		if t, ok := c.(*net.TCPConn); ok && a.abort {
			_ = t.SetLinger(0)
			return
		}
		if err := writeResponse(c, a, last); err != nil || last {
			return
		}
	}
}

// readRequest reads a GET. It is the last of its connection if it says so.
func readRequest(r *textproto.Reader) (path string, last bool, err error) {
	line, err := r.ReadLine()
	if err != nil {
		return "", false, err
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return "", false, err
	}
	words := strings.Fields(line)
	if len(words) != 3 || words[0] != "GET" {
		return "", false, fmt.Errorf("request line %q", line)
	}
	return words[1], header.Get("Connection") == connection(true), nil
}

func writeResponse(c net.Conn, a response, last bool) error {
	_, err := fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%s: %s\r\n"+
		"Content-Type: text/plain\r\nContent-Length: %d\r\n"+
		"Connection: %s\r\n\r\n%s",
		a.status, statusText(a.status), headerPeer, c.RemoteAddr(),
		len(a.body), connection(last), a.body)
	return err
}

// connection is the value of HTTP's Connection header.
func connection(last bool) string {
	if last {
		return "close"
	}
	return "keep-alive"
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

// get makes a request on an open connection and fills in the exchange. After
// the last one it waits for the server to hang up, so that the server's FIN
// comes first and nothing is left to be reset.
func get(c net.Conn, b *bufio.Reader, r Request, last bool, x *Exchange) error {
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n"+
		"User-Agent: icap-lab\r\nConnection: %s\r\n\r\n", r.Path, r.To, connection(last))
	if err != nil {
		return err
	}
	tp := textproto.NewReader(b)
	line, err := tp.ReadLine()
	if err != nil {
		return err
	}
	header, err := tp.ReadMIMEHeader()
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &x.Status); err != nil {
		return fmt.Errorf("status line %q: %w", line, err)
	}
	if x.Size, err = strconv.Atoi(header.Get("Content-Length")); err != nil {
		return fmt.Errorf("content length: %w", err)
	}
	body := make([]byte, min(x.Size, maxBody))
	if _, err := io.ReadFull(b, body); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, b, int64(x.Size-len(body))); err != nil {
		return err
	}
	x.Body, x.Peer = string(body), parseAddrPort(header.Get(headerPeer))
	if last {
		_, err = io.Copy(io.Discard, b)
	}
	return err
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
