// Command standin is all the programs in the image that the pods of the test's
// cluster run, by the name that it is started by: pause, app, pilot-agent as
// init container, sidecar and gateway, and get, which asks for a page.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"icap/internal/lab"
)

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, args []string) error {
	switch command := strings.Join(append([]string{name}, args...), " "); {
	case name == "pause":
		return untilTold()
	case name == "app":
		return serve(lab.Standin.ServeApp, 8080)
	case name == "get" && len(args) == 1:
		return get(args[0])
	case command == "pilot-agent istio-iptables":
		return lab.WriteRules()
	case strings.HasPrefix(command, "pilot-agent proxy sidecar"):
		return serve(func(s lab.Standin, _ ...int) error { return s.ServeSidecar() })
	case strings.HasPrefix(command, "pilot-agent proxy router"):
		return serve(func(s lab.Standin, _ ...int) error { return s.ServeGateway() })
	default:
		return fmt.Errorf("no program is called %q", command)
	}
}

// serve plays the part that the environment describes.
func serve(part func(lab.Standin, ...int) error, ports ...int) error {
	s := lab.Standin{Name: os.Getenv("WORKLOAD"), Namespace: os.Getenv("POD_NAMESPACE"), Root: []byte(os.Getenv("MESH_ROOT"))}
	services, err := parseServices(os.Getenv("MESH"))
	if err != nil {
		return err
	}
	if len(services) > 0 {
		m := &mesh{services: services}
		go m.watch(s.Namespace)
		s.Find = m.find
	}
	if route := os.Getenv("ROUTE"); route != "" {
		to, err := netip.ParseAddrPort(route)
		if err != nil {
			return err
		}
		s.Routes = map[int]netip.AddrPort{lab.GatewayPort: to}
	}
	if err := part(s, ports...); err != nil {
		return err
	}
	return untilTold()
}

func untilTold() error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
	return nil
}

// get prints the page at a URL.
func get(url string) error {
	client := &http.Client{Timeout: 5 * time.Second}
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(os.Stdout, r.Body); err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return errors.New(r.Status)
	}
	return nil
}
