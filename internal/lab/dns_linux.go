package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxMessage is more than any DNS message in a lab.
const maxMessage = 1500

// answerTTL is how long answers of the lab are good for, in seconds.
const answerTTL = 30

// openDNS opens a DNS server, over UDP and TCP, and serves it.
func openDNS(p part, at netip.AddrPort) error {
	u, err := p.sockets.packets(at)
	if err != nil {
		return err
	}
	l, err := p.sockets.listen(at, false)
	if err != nil {
		return errors.Join(err, u.Close())
	}
	go p.serveDNS(u)
	go serveRaw(reporter{l, UseDNS, p.sockets}, p.serveDNSConn)
	return nil
}

// serveDNS answers queries over UDP until the socket is closed.
func (p part) serveDNS(u *net.UDPConn) {
	local := addrPort(u.LocalAddr())
	for {
		b := make([]byte, maxMessage)
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		go func() {
			p.sockets.say(Socket{
				Use: UseDNS, Proto: UDP, Accepted: true, Mark: p.sockets.mark,
				Local: local, Remote: from, Query: queryID(b[:n]),
			})
			if a, err := p.resolve(b[:n], UDP); err == nil {
				_, _ = u.WriteToUDPAddrPort(a, from)
			}
		}()
	}
}

// serveDNSConn answers the queries of a TCP connection.
func (p part) serveDNSConn(c *net.TCPConn) error {
	for {
		q, err := readMessage(c)
		if err != nil {
			return err
		}
		a, err := p.resolve(q, TCP)
		if err != nil {
			return err
		}
		if err := writeMessage(c, a); err != nil {
			return err
		}
	}
}

// resolve answers a query, or asks the resolver.
func (p part) resolve(query []byte, proto string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	if len(m.Questions) != 1 {
		return nil, errors.New("not one question")
	}
	q := m.Questions[0]
	a, ok := p.Hosts[strings.TrimSuffix(q.Name.String(), ".")]
	if !ok && p.Resolver.IsValid() {
		m.ID = uint16(rand.Uint32())
		id := queryID(query)
		b, err := p.ask(m, p.Resolver, proto, UseDNS, nil)
		if err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint16(b, id)
		return b, nil
	}
	m.Response, m.RecursionAvailable = true, true
	switch {
	case !ok:
		m.RCode = dnsmessage.RCodeNameError
	case a.Is4() && q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{record(q, &dnsmessage.AResource{A: a.As4()})}
	case a.Is6() && q.Type == dnsmessage.TypeAAAA:
		m.Answers = []dnsmessage.Resource{record(q, &dnsmessage.AAAAResource{AAAA: a.As16()})}
	}
	return m.Pack()
}

func record(q dnsmessage.Question, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: answerTTL},
		Body:   body,
	}
}

// ask sends a query and returns the answer as it came.
func (p part) ask(m dnsmessage.Message, to netip.AddrPort, proto string, use Use, x *Exchange) ([]byte, error) {
	q, err := m.Pack()
	if err != nil {
		return nil, err
	}
	t := target{use: use, proto: proto, to: to}
	if proto == UDP {
		t.query = m.ID
	}
	c, err := p.sockets.dial(t)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if x != nil {
		x.Local, x.Remote = addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	}
	if err := c.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, err
	}
	if proto == TCP {
		if err := writeMessage(c, q); err != nil {
			return nil, err
		}
		return readMessage(c)
	}
	if _, err := c.Write(q); err != nil {
		return nil, err
	}
	b := make([]byte, maxMessage)
	for {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		if queryID(b[:n]) == m.ID {
			return b[:n], nil
		}
	}
}

// datagram makes a request that is not HTTP.
func (p part) datagram(r Request, x *Exchange) error {
	if r.Protocol == Echo {
		return p.askEcho(r, x)
	}
	name, err := dnsmessage.NewName(r.Path + ".")
	if err != nil {
		return fmt.Errorf("query of %q: %w", r.Path, err)
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()) | 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	proto := UDP
	if r.Protocol == DNSOverTCP {
		proto = TCP
	}
	b, err := p.ask(m, r.To, proto, p.use(), x)
	if err != nil {
		return err
	}
	if err := m.Unpack(b); err != nil {
		return err
	}
	if m.RCode != dnsmessage.RCodeSuccess || len(m.Answers) != 1 {
		return fmt.Errorf("query of %q: %v, %d answers", r.Path, m.RCode, len(m.Answers))
	}
	a, ok := m.Answers[0].Body.(*dnsmessage.AResource)
	if !ok {
		return fmt.Errorf("query of %q: answer has another type", r.Path)
	}
	x.Status, x.Body = 200, netip.AddrFrom4(a.A).String()
	x.Size = len(x.Body)
	return nil
}

// queryID is the number of a message.
func queryID(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// readMessage and writeMessage do what DNS over TCP puts ahead of a message.
func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeMessage(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}
