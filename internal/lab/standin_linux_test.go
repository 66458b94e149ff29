package lab

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestStandinIdentities lets two stand-ins of one root believe each other, and
// none of another.
func TestStandinIdentities(t *testing.T) {
	identities := make([]identity, 3)
	root, err := NewRoot()
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewRoot()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range [][]byte{root, root, other} {
		if identities[i], err = (Standin{Name: "web", Namespace: "shop", Root: r}).identity(); err != nil {
			t.Fatal(err)
		}
	}
	if _, serr, cerr := handshake(t, identities[0], identities[1]); serr != nil || cerr != nil {
		t.Errorf("same root: %v, %v", serr, cerr)
	}
	if _, serr, cerr := handshake(t, identities[0], identities[2]); serr == nil && cerr == nil {
		t.Error("another root is believed")
	}
	if _, err := (Standin{Root: []byte("{}")}).identity(); err == nil {
		t.Error("a root without a key is one")
	}
}

// TestStandinAlone puts the rules and an application into a namespace that
// nobody of the lab has made ready.
func TestStandinAlone(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "needs root")
	}
	if _, err := exec.LookPath("nft"); err != nil {
		skip(t, "needs the program nft")
	}
	ns, file, err := newOwned("alone")
	if err != nil {
		t.Fatal(err)
	}
	defer removeNamespace(file)
	defer ns.Close()
	const port = 8080
	var answer []byte
	err = ns.Do(func() error {
		if err := (Standin{Name: "web"}).ServeApp(port); err != nil {
			return err
		}
		c, err := net.DialTimeout("tcp", netip.AddrPortFrom(family4.loopback.Addr(), port).String(), 5*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(c, "GET /alone HTTP/1.1\r\nConnection: close\r\n\r\n"); err != nil {
			return err
		}
		answer, err = io.ReadAll(c)
		return err
	})
	if err != nil || !strings.Contains(string(answer), Greeting("web", "/alone")) {
		t.Errorf("%v: %q", err, answer)
	}
	if err := ns.Do(WriteRules); err != nil {
		t.Fatal(err)
	}
	list := exec.Command("nft", "list", "ruleset")
	var out strings.Builder
	list.Stdout, list.Stderr = &out, &out
	if err := ns.Do(list.Start); err != nil {
		t.Fatal(err)
	}
	if err := list.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	for _, want := range []string{"redirect to :15001", "redirect to :15006", "meta skuid 1337", "ip saddr 127.0.0.6"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
