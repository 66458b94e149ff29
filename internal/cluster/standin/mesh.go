package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"icap/internal/lab"
)

// A mesh is what a proxy knows of the services: istiod would tell the real one.
// The stand-in asks the API server for their endpoints.
type mesh struct {
	services map[netip.AddrPort]string // their names

	mu   sync.Mutex
	pods map[string]netip.AddrPort // one of each service
}

// parseServices reads "10.96.0.80:80=api,...".
func parseServices(text string) (map[netip.AddrPort]string, error) {
	all := make(map[netip.AddrPort]string)
	for entry := range strings.SplitSeq(text, ",") {
		if entry == "" {
			continue
		}
		at, name, _ := strings.Cut(entry, "=")
		service, err := netip.ParseAddrPort(at)
		if err != nil {
			return nil, err
		}
		all[service] = name
	}
	return all, nil
}

// find returns a pod of a service that has one.
func (m *mesh) find(service netip.AddrPort) (lab.Upstream, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := m.services[service]
	pod, ok := m.pods[name]
	return lab.Upstream{Pod: pod, Workload: name}, ok
}

// watch follows the endpoints for as long as the process lives, and begins
// again when the API server has gone.
func (m *mesh) watch(namespace string) {
	for ; ; time.Sleep(200 * time.Millisecond) {
		if err := m.follow(namespace); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// An event is one line of a watch.
type event struct {
	Type   string
	Object struct {
		Metadata struct{ Name string }
		Subsets  []struct {
			Addresses []struct{ IP string }
			Ports     []struct{ Port uint16 }
		}
	}
}

func (m *mesh) follow(namespace string) error {
	client, token, err := account()
	if err != nil {
		return err
	}
	at := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	r, err := http.NewRequest(http.MethodGet, "https://"+at+"/api/v1/namespaces/"+namespace+"/endpoints?watch=1", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New("watch endpoints: " + answer.Status)
	}
	for d := json.NewDecoder(answer.Body); ; {
		var e event
		if err := d.Decode(&e); err != nil {
			return err
		}
		m.take(e)
	}
}

// take notes the first ready pod of a service.
func (m *mesh) take(e event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pods == nil {
		m.pods = make(map[string]netip.AddrPort)
	}
	name := e.Object.Metadata.Name
	delete(m.pods, name)
	for _, s := range e.Object.Subsets {
		if len(s.Addresses) == 0 || len(s.Ports) == 0 {
			continue
		}
		if ip, err := netip.ParseAddr(s.Addresses[0].IP); err == nil {
			m.pods[name] = netip.AddrPortFrom(ip, s.Ports[0].Port)
		}
	}
}

// account is the pod's service account: who it trusts, and its token.
func account() (*http.Client, string, error) {
	const dir = "/var/run/secrets/kubernetes.io/serviceaccount/"
	token, err := os.ReadFile(dir + "token")
	if err != nil {
		return nil, "", err
	}
	ca, err := os.ReadFile(dir + "ca.crt")
	if err != nil {
		return nil, "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	// A connection of its own, so that one that is dead is not tried again.
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	return &http.Client{Transport: t}, string(token), nil
}
