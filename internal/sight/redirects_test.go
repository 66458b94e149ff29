package sight

import (
	"fmt"
	"testing"

	"icap/internal/capfile"
)

func TestRedirectsOf(t *testing.T) {
	for _, test := range []struct{ name, description, want string }{
		{"lo:outbound-app@web.shop", "app and proxy; sidecar by REDIRECT, outbound to port 16001, inbound to port 16006, DNS to port 15053, app on port 80", "[16001 16006]"},
		{"eth0:inbound-wire", "client and proxy; ambient: the node's ztunnel by REDIRECT, outbound to port 15001", "[15001]"},
		{"eth0:direct@db.shop", "not through the proxy; no proxy: nothing is redirected", "[]"},
		{"eth0", "", "[15001 15006]"},
		{"", "", "[15001 15006]"},
	} {
		if got := fmt.Sprint(redirectsOf(&capfile.Interface{Name: test.name, Description: test.description})); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
