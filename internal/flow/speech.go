package flow

import (
	"bytes"
	"fmt"
	"strings"
)

// A Protocol is what a connection speaks.
type Protocol uint8

// The protocols, as far as the first bytes tell them.
const (
	Unheard  Protocol = iota // nothing was said, or its beginning not captured
	Plain                    // in the clear
	HTTP1                    // in the clear
	HTTP2                    // in the clear
	TLS                      // of somebody else's
	IstioTLS                 // mutual TLS of Istio's proxies
	Tunnel                   // HBONE: Istio's tunnel over mutual TLS
)

var protocols = [...]string{"", "plaintext", "HTTP/1 plaintext", "HTTP/2 plaintext", "TLS", "Istio mTLS", "HBONE"}

// String is the protocol's name.
func (p Protocol) String() string { return protocols[p] }

// Clear reports whether others can read what is said.
func (p Protocol) Clear() bool { return p == Plain || p == HTTP1 || p == HTTP2 }

// Speech is what a connection speaks, and with whom its client wants to.
type Speech struct {
	Protocol Protocol
	// Version is that of TLS, 0 if not known. Until the server has answered
	// it is what the client offers.
	Version uint16
	Name    string   // SNI
	ALPN    []string // what the client offers
}

// String says it in one line.
func (s Speech) String() string {
	var b strings.Builder
	b.WriteString(s.Protocol.String())
	if s.Version >= 0x0301 && s.Version <= TLS13 {
		fmt.Fprintf(&b, " 1.%d", s.Version-0x0301)
	}
	if s.Name != "" {
		fmt.Fprintf(&b, ", SNI %s", s.Name)
	}
	if len(s.ALPN) > 0 {
		fmt.Fprintf(&b, ", ALPN %s", strings.Join(s.ALPN, ","))
	}
	return b.String()
}

// hbonePort is where Istio's tunnels end.
const hbonePort = 15008

// maxHead is how much of a side's payload is kept to recognise it, in bytes.
const maxHead = 4096

// listen looks at the payload of a side until it knows what is spoken.
func (c *Conn) listen(own *Side, s *Sighting) {
	if s.PayloadLen == 0 || c.Proto != ProtoTCP || own.heard {
		return
	}
	data := s.captured()
	if c.Guessed {
		own.heard = c.overhear(data)
		return
	}
	own.head = append(own.head, data[:min(len(data), maxHead-len(own.head))]...)
	own.heard = c.hear(own == &c.Up, own.head) || len(data) < s.PayloadLen || len(own.head) == maxHead
	if own.heard {
		own.head = nil
	}
}

// overhear looks at a segment somewhere in a connection whose beginning was
// not captured, and reports whether it tells what is spoken.
func (c *Conn) overhear(data []byte) bool {
	const firstRecord, lastRecord = 20, 23 // types of TLS records
	switch {
	case len(data) > 5 && data[0] >= firstRecord && data[0] <= lastRecord && data[1] == 3 && data[2] <= 4:
		c.Speaks.Protocol = TLS
	case inClear(data) != Plain:
		c.Speaks.Protocol = inClear(data)
	default:
		return false
	}
	return true
}

// hear tries to understand how a side begins, and reports whether no more of
// it is needed.
func (c *Conn) hear(client bool, head []byte) bool {
	h, ok := ReadHello(head)
	switch {
	case ok && h.Server:
		if c.Speaks.Protocol == Unheard {
			c.Speaks.Protocol = TLS
		}
		c.Speaks.Version = h.Version
		return len(head) >= helloLen(head)
	case ok:
		c.heardClient(&h)
		return len(head) >= helloLen(head)
	case len(head) == 0 || len(head) < 6 && head[0] == 22:
		return false
	}
	if client || c.Speaks.Protocol == Unheard {
		c.Speaks.Protocol = inClear(head)
	}
	return true
}

// helloLen is how long the record is that a hello is in.
func helloLen(head []byte) int { return 5 + int(head[3])<<8 + int(head[4]) }

func (c *Conn) heardClient(h *Hello) {
	s := &c.Speaks
	s.Protocol = TLS
	s.Version = h.Version
	s.Name = string(h.Name)
	s.ALPN = s.ALPN[:0]
	for name := range h.Protocols {
		s.ALPN = append(s.ALPN, string(name))
		if bytes.HasPrefix(name, []byte("istio")) {
			s.Protocol = IstioTLS
		}
	}
	switch {
	case c.Server.Port() == hbonePort:
		s.Protocol = Tunnel
	case strings.HasPrefix(s.Name, "outbound_.") || strings.HasPrefix(s.Name, "outbound."):
		s.Protocol = IstioTLS
	}
}

// inClear recognises what is said in the clear.
func inClear(head []byte) Protocol {
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("PRI * HTTP/2.0")):
		return HTTP2
	case bytes.HasSuffix(line, []byte(" HTTP/1.1")), bytes.HasSuffix(line, []byte(" HTTP/1.0")), bytes.HasPrefix(line, []byte("HTTP/1.")):
		return HTTP1
	}
	return Plain
}
