package lab

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"
)

// handshake connects two identities and returns what each side says.
func handshake(t *testing.T, server, client identity) (proto string, serverErr, clientErr error) {
	t.Helper()
	sc, err := server.server(alpnPeer, alpnIstio)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := client.client(alpnIstio)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	for _, c := range []net.Conn{a, b} {
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	}
	s, c := tls.Server(a, sc), tls.Client(b, cc)
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		done <- errors.Join(err, a.Close())
	}()
	// The server's verdict on the client comes after the client's handshake.
	if clientErr = c.Handshake(); clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1))
	}
	_ = b.Close()
	return c.ConnectionState().NegotiatedProtocol, <-done, clientErr
}

func issue(t *testing.T, a *authority, account string) identity {
	t.Helper()
	id, err := a.issue(2, "default", account)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestMutualTLS(t *testing.T) {
	ours, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	server, client := issue(t, ours, "reviews"), issue(t, ours, "productpage")
	if proto, s, c := handshake(t, server, client); s != nil || c != nil || proto != alpnIstio {
		t.Errorf("server %v, client %v, protocol %q", s, c, proto)
	}

	// A stranger that trusts us is refused, and one that we are to trust.
	stranger := issue(t, theirs, "stranger")
	stranger.Root = server.Root
	if _, s, _ := handshake(t, server, stranger); s == nil {
		t.Error("server accepts a client of another authority")
	}
	if _, _, c := handshake(t, stranger, client); c == nil {
		t.Error("client accepts a server of another authority")
	}
}

func TestVerifyPeer(t *testing.T) {
	a, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	roots, _, err := issue(t, a, "x").parse()
	if err != nil {
		t.Fatal(err)
	}
	if verifyPeer(nil, roots) == nil {
		t.Error("accepted a peer without a certificate")
	}
	if err := verifyPeer([]*x509.Certificate{a.cert}, roots); err == nil {
		t.Error("accepted a certificate without a SPIFFE name")
	}
}
