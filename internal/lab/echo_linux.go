package lab

import (
	"net"
	"net/netip"
	"time"
)

// echo sends datagrams back until the socket is closed.
func (p part) echo(u *net.UDPConn) {
	b := make([]byte, maxMessage)
	for {
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		_, _ = u.WriteToUDPAddrPort(b[:n], from)
	}
}

// askEcho sends a datagram and waits for it to come back.
func (p part) askEcho(r Request, x *Exchange) error {
	c, err := p.sockets.dial(target{use: p.use(), proto: UDP, to: r.To, from: r.From})
	if err != nil {
		return err
	}
	defer c.Close()
	x.Local, x.Remote = addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	if err := c.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	if _, err := c.Write([]byte(r.Path)); err != nil {
		return err
	}
	b := make([]byte, maxMessage)
	n, err := c.Read(b)
	if err != nil {
		return err
	}
	x.Status, x.Body, x.Size = 200, string(b[:n]), n
	return nil
}
