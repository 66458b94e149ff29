package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An authority signs the certificates of one cluster.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one whose certificates go to a directory, as ca.crt and
// ca.key, and the key pair by which service accounts' tokens are signed.
func newAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir}
	self := &x509.Certificate{
		Subject: pkix.Name{CommonName: "cluster"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if err := a.issue("ca", self); err != nil {
		return nil, err
	}
	return a, a.issue("accounts", &x509.Certificate{Subject: pkix.Name{CommonName: "accounts"}})
}

// issue writes name.crt and name.key. The first certificate signs itself, and
// then all others.
func (a *authority) issue(name string, c *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(0, 0, 7)
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer, c.ExtKeyUsage = c, key, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", name, err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			return err
		}
		a.key = key
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(a.dir, name+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writePEM(filepath.Join(a.dir, name+".key"), "PRIVATE KEY", pkcs8)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// server makes the certificate of a server, which may be a client as well.
func (a *authority) server(name, user, group string, addresses ...string) error {
	c := &x509.Certificate{Subject: subject(user, group)}
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
			continue
		}
		c.DNSNames = append(c.DNSNames, address)
	}
	return a.issue(name, c)
}

func subject(user, group string) pkix.Name {
	s := pkix.Name{CommonName: user}
	if group != "" {
		s.Organization = []string{group}
	}
	return s
}

// client makes a certificate and name.conf, a kubeconfig with it.
func (a *authority) client(name, user, group string) error {
	if err := a.issue(name, &x509.Certificate{Subject: subject(user, group)}); err != nil {
		return err
	}
	return a.kubeconfig(name)
}

// kubeconfig writes name.conf for the certificate of that name.
func (a *authority) kubeconfig(name string) error {
	type object = map[string]any
	conf, err := json.MarshalIndent(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "lab",
		"clusters": []object{{"name": "lab", "cluster": object{
			"server": apiServer, "certificate-authority": filepath.Join(a.dir, "ca.crt"),
		}}},
		"users": []object{{"name": name, "user": object{
			"client-certificate": filepath.Join(a.dir, name+".crt"), "client-key": filepath.Join(a.dir, name+".key"),
		}}},
		"contexts": []object{{"name": "lab", "context": object{"cluster": "lab", "user": name}}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.dir, name+".conf"), conf, 0o600)
}
