package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"icap/nsswitch"
)

// A root is an authority that leaves the process that made it.
type root struct{ Cert, Key []byte }

func newRoot() ([]byte, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	return json.Marshal(root{a.cert.Raw, key})
}

// identity makes the stand-in's certificate.
func (s Standin) identity() (identity, error) {
	var r root
	if err := json.Unmarshal(s.Root, &r); err != nil {
		return identity{}, fmt.Errorf("read root: %w", err)
	}
	cert, err := x509.ParseCertificate(r.Cert)
	if err != nil {
		return identity{}, fmt.Errorf("read root: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(r.Key)
	if err != nil {
		return identity{}, fmt.Errorf("read root: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return identity{}, fmt.Errorf("read root: its key is %T", key)
	}
	a := authority{cert: cert, key: signer}
	return a.issue(time.Now().UnixNano(), s.Namespace, s.Name)
}

func (s Standin) part(kind string) part {
	return part{Kind: kind, Name: s.Name, Routes: s.Routes, discover: s.endpoint}
}

// endpoint is what a proxy knows about a service.
func (s Standin) endpoint(service netip.AddrPort) (endpoint, bool) {
	if s.Find == nil {
		return endpoint{}, false
	}
	up, ok := s.Find(service)
	return endpoint{Service: service.String(), Pod: up.Pod.String(), SNI: sni(int(service.Port()), up.Workload)}, ok
}

func (s Standin) serveApp(ports []int) error {
	p := s.part(kindApp)
	p.Ports = ports
	return p.open()
}

func (s Standin) serveSidecar() error { return s.serveProxy(kindEnvoy) }

func (s Standin) serveGateway() error { return s.serveProxy(kindGateway) }

func (s Standin) serveProxy(kind string) (err error) {
	p := s.part(kind)
	if p.Identity, err = s.identity(); err != nil {
		return err
	}
	return p.open()
}

func writeRules() error {
	ns, err := nsswitch.Current()
	if err != nil {
		return err
	}
	defer ns.Close()
	spec, err := Today.spec()
	if err != nil {
		return err
	}
	return apply(context.Background(), ns, spec, NFTables)
}
