// Package netdb looks up the names of a filter as C's library does for tcpdump:
// hosts in /etc/hosts and by DNS, and services, protocols, networks and Ethernet
// addresses in the tables in /etc.
//
// Nothing is read before a filter has a name that needs it.
package netdb

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"icap/bpfc"
)

// DefaultTimeout is how long a host is asked for unless told otherwise.
const DefaultTimeout = 5 * time.Second

// A Resolver looks up names. The zero value reads the tables in /etc. What a
// table or a server has told is remembered. It must not be used by several
// goroutines at once.
type Resolver struct {
	Dir     string        // of the tables; "" means /etc
	Timeout time.Duration // for a host; 0 means DefaultTimeout

	tables map[string][]entry
	found  map[string][]netip.Addr
}

var _ bpfc.Resolver = &Resolver{}

// Hosts returns the addresses of a host, of both families.
func (r *Resolver) Hosts(name string) []netip.Addr {
	if known, ok := r.found[name]; ok {
		return known
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	// An error means the same as no address: the compiler says that the host
	// is unknown.
	addrs, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	if r.found == nil {
		r.found = make(map[string][]netip.Addr)
	}
	r.found[name] = addrs
	return addrs
}

// Networks returns the prefix of a network of the table "networks". As for
// libpcap, it is as long as the number is written: 10 means 10.0.0.0/8, and
// 10.0.0.0 is a single address.
func (r *Resolver) Networks(name string) []netip.Prefix {
	for _, e := range r.table("networks") {
		if !e.is(name) {
			continue
		}
		if p, ok := network(e.value); ok {
			return []netip.Prefix{p}
		}
	}
	return nil
}

// Services returns the ports of a service of the table "services".
func (r *Resolver) Services(name string) (found []bpfc.Service) {
	for _, e := range r.table("services") {
		if !e.is(name) {
			continue
		}
		if s, ok := service(e.value); ok {
			found = append(found, s)
		}
	}
	return found
}

// Protocol returns the number of a protocol of the table "protocols".
func (r *Resolver) Protocol(name string) (number uint8, ok bool) {
	for _, e := range r.table("protocols") {
		if !e.is(name) {
			continue
		}
		if n, ok := decimal(e.value, 8); ok {
			return uint8(n), true
		}
	}
	return 0, false
}

// Ether returns the Ethernet address of a host of the table "ethers".
func (r *Resolver) Ether(name string) (mac [6]byte, ok bool) {
	for _, e := range r.table("ethers") {
		if !e.is(name) {
			continue
		}
		if mac, ok := ether(e.value); ok {
			return mac, true
		}
	}
	return mac, false
}

// table returns the entries of a table, none if it cannot be read.
func (r *Resolver) table(name string) []entry {
	if known, ok := r.tables[name]; ok {
		return known
	}
	dir := r.Dir
	if dir == "" {
		dir = "/etc"
	}
	text, _ := os.ReadFile(filepath.Join(dir, name))
	if r.tables == nil {
		r.tables = make(map[string][]entry)
	}
	entries := parse(string(text), name == "ethers")
	r.tables[name] = entries
	return entries
}
