package text

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

// TestTLS looks at the hellos of a real handshake.
func TestTLS(t *testing.T) {
	for _, test := range []struct {
		name  string
		hello []byte
		want  string
	}{
		{"client", clientHello(t), ": TLS: ClientHello, SNI reviews.default.svc, ALPN istio,h2"},
		{"record only", []byte{22, 3, 1, 0, 1}, ""},
		{"other handshake", []byte{22, 3, 1, 0, 1, 11, 0}, ""},
		{"server, cut", []byte{22, 3, 3, 0, 1, 2, 0}, ": TLS: ServerHello"},
	} {
		// The order of the extensions is the client's choice.
		got := string(appendStream(nil, test.hello))
		if swapped := ": TLS: ClientHello, ALPN istio,h2, SNI reviews.default.svc"; got != test.want && got != swapped {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// clientHello returns the first record of Go's TLS client.
func clientHello(t testing.TB) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		defer client.Close()
		tls.Client(client, &tls.Config{
			ServerName: "reviews.default.svc",
			NextProtos: []string{"istio", "h2"},
		}).Handshake()
	}()
	header := make([]byte, 5)
	if _, err := io.ReadFull(server, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, be16(header[3:]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

func TestHTTPLine(t *testing.T) {
	for in, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a": ": HTTP: GET / HTTP/1.1",
		"HTTP/1.1 200 OK\r\n":       ": HTTP: HTTP/1.1 200 OK",
		"PRI * HTTP/2.0\r\n\r\nSM":  ": HTTP: PRI * HTTP/2.0",
		"GET /cut":                  ": HTTP: GET /cut",
		"GET ":                      "",
		"GETS / HTTP/1.1":           "",
		"":                          "",
		"POST /" + strings.Repeat("x", 300) + " HTTP/1.1": ": HTTP: POST /" + strings.Repeat("x", maxLine-6) + "...",
	} {
		if got := string(appendStream(nil, []byte(in))); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}
