// Command standin is all the programs in the image of the test, by the name
// that it is started by: pause, app, and the pilot-agent of a sidecar. As get
// it asks a server for a page.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if err := run(filepath.Base(os.Args[0])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	switch name {
	case "pause":
		return untilTold()
	case "app":
		if len(os.Args) > 1 {
			if err := greet(os.Args[1]); err != nil {
				return err
			}
		}
		return serve(":8080")
	case "pilot-agent":
		return proxy()
	case "get":
		return get(os.Args[1])
	}
	return fmt.Errorf("no program is called %q", name)
}

func untilTold() error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
	return nil
}

// greet sends a datagram, the first thing that the program does.
func greet(to string) error {
	c, err := net.Dial("udp", to)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("started"))
	return err
}

func serve(at string) error {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s\n", r.URL.Path)
		}))
	}()
	return untilTold()
}

// get prints the page at a URL. It asks until a server answers.
func get(url string) error {
	client := &http.Client{Timeout: 2 * time.Second}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := client.Get(url)
		if err == nil {
			defer r.Body.Close()
			_, err = io.Copy(os.Stdout, r.Body)
			return err
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// proxy listens where a sidecar does, and hands inbound connections on to
// where they were addressed to, from 127.0.0.6.
func proxy() error {
	for _, at := range []string{":15001", ":15021", ":15090"} {
		if _, err := net.Listen("tcp", at); err != nil {
			return err
		}
	}
	inbound, err := net.Listen("tcp", ":15006")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := inbound.Accept()
			if err != nil {
				return
			}
			go handOn(c.(*net.TCPConn))
		}
	}()
	return untilTold()
}

func handOn(c *net.TCPConn) {
	defer c.Close()
	to, err := originalDestination(c)
	if err != nil {
		return
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 6)}}
	app, err := d.Dial("tcp", to.String())
	for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); app, err = d.Dial("tcp", to.String()) {
		time.Sleep(10 * time.Millisecond) // it is about to listen
	}
	if err != nil {
		return
	}
	defer app.Close()
	go func() {
		_, _ = io.Copy(app, c)
		_ = app.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, app)
}

// originalDestination asks for SO_ORIGINAL_DST, which is a struct sockaddr_in.
func originalDestination(c *net.TCPConn) (to netip.AddrPort, err error) {
	const soOriginalDst = 80
	raw, err := c.SyscallConn()
	if err != nil {
		return to, err
	}
	var sa *syscall.IPv6Mreq // as long as what the kernel returns
	cerr := raw.Control(func(fd uintptr) {
		sa, err = syscall.GetsockoptIPv6Mreq(int(fd), syscall.IPPROTO_IP, soOriginalDst)
	})
	if cerr != nil || err != nil {
		return to, fmt.Errorf("original destination: %v, %v", cerr, err)
	}
	b := sa.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3])), nil
}
