package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// The names that sidecars offer and expect in ALPN, see Istio's
// pilot/pkg/networking/util.
const (
	alpnIstio = "istio"
	alpnPeer  = "istio-peer-exchange"

	// alpnTunnel is what ends of HBONE use: it is HTTP/2.
	alpnTunnel = "h2"
)

// certLife is how long certificates are good for: as long as a lab can be
// expected to run.
const certLife = 24 * time.Hour

// An authority signs the certificates of one lab. Its key never leaves the
// process that made the lab.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// An identity is a workload's certificate, with its key and the root that it
// trusts, in DER as the stand-ins get them.
type identity struct {
	Root, Cert, Key []byte
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Organization: []string{"cluster.local"}},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(certLife),
		KeyUsage:              x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make root certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make root certificate: %w", err)
	}
	return &authority{cert: cert, key: key}, nil
}

// issue makes the certificate of a service account. Like Istio's it has no
// subject and one URI name.
func (a *authority) issue(serial int64, namespace, account string) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("make key of %s: %w", account, err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		URIs: []*url.URL{{
			Scheme: "spiffe",
			Host:   "cluster.local",
			Path:   "/ns/" + namespace + "/sa/" + account,
		}},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(certLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return identity{}, fmt.Errorf("make certificate of %s: %w", account, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return identity{}, fmt.Errorf("make certificate of %s: %w", account, err)
	}
	return identity{Root: a.cert.Raw, Cert: der, Key: pkcs8}, nil
}

// server is the configuration of a sidecar's inbound listener. It sends no
// session tickets: a peer that closes without reading them would answer the
// last of the connection with a reset.
func (i identity) server(protocols ...string) (*tls.Config, error) {
	roots, cert, err := i.parse()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{cert},
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              roots,
		NextProtos:             protocols,
		SessionTicketsDisabled: true,
	}, nil
}

// client is the configuration of a connection to a sidecar. Workload
// certificates hold no host names, so the chain is verified here instead of
// by the standard check, which wants one.
func (i identity) client(protocols ...string) (*tls.Config, error) {
	roots, cert, err := i.parse()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{cert},
		NextProtos:         protocols,
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			return verifyPeer(s.PeerCertificates, roots)
		},
	}, nil
}

func (i identity) parse() (*x509.CertPool, tls.Certificate, error) {
	root, err := x509.ParseCertificate(i.Root)
	if err != nil {
		return nil, tls.Certificate{}, fmt.Errorf("read root certificate: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, tls.Certificate{}, fmt.Errorf("read key: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return roots, tls.Certificate{Certificate: [][]byte{i.Cert}, PrivateKey: key}, nil
}

// verifyPeer accepts a workload of the lab's trust domain.
func verifyPeer(certs []*x509.Certificate, roots *x509.CertPool) error {
	if len(certs) == 0 {
		return errors.New("peer sent no certificate")
	}
	leaf := certs[0]
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots}); err != nil {
		return err
	}
	if len(leaf.URIs) != 1 || leaf.URIs[0].Scheme != "spiffe" {
		return errors.New("peer's certificate has no SPIFFE name")
	}
	return nil
}
