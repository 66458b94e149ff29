package text

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"golang.org/x/net/http2/hpack"
)

// TestTLS looks at the hellos of a real handshake.
func TestTLS(t *testing.T) {
	for _, test := range []struct {
		name  string
		hello []byte
		want  string
	}{
		{"client", clientHello(t), ": TLS: ClientHello 1.3, SNI reviews.default.svc, ALPN istio,h2"},
		{"record only", []byte{22, 3, 1, 0, 1}, ": TLS: handshake"},
		{"other handshake", []byte{22, 3, 1, 0, 1, 11, 0}, ": TLS: handshake"},
		{"server 1.2", append([]byte{22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3}, make([]byte, 40)...), ": TLS: ServerHello 1.2"},
		{"alert", []byte{21, 3, 3, 0, 2, 2, 48}, ": TLS: alert fatal unknown_ca"},
		{"unknown alert", []byte{21, 3, 3, 0, 2, 9, 200}, ": TLS: alert level-9 200"},
		{"encrypted alert", append([]byte{21, 3, 3, 0, 26}, make([]byte, 26)...), ": TLS: alert"},
		{"several", []byte{20, 3, 3, 0, 1, 1, 23, 3, 3, 1, 0, 7}, ": TLS: ChangeCipherSpec, application data"},
		{"many", []byte(strings.Repeat("\x17\x03\x03\x00\x01x", 9)), ": TLS: application data, application data, application data, application data, ..."},
		{"no record", []byte{23, 3, 3, 255, 255, 0}, ""},
		{"server, cut", []byte{22, 3, 3, 0, 1, 2, 0}, ": TLS: ServerHello"},
	} {
		// The order of the extensions is the client's choice.
		got := string(appendStream(nil, test.hello, len(test.hello), false))
		if swapped := ": TLS: ClientHello 1.3, ALPN istio,h2, SNI reviews.default.svc"; got != test.want && got != swapped {
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
		"CONNECT a:1 HTTP/1.1\r\n":  ": HTTP: CONNECT a:1 HTTP/1.1",
		"GET /cut":                  ": HTTP: GET /cut",
		"GET ":                      "",
		"GETS / HTTP/1.1":           "",
		"":                          "",
		"POST /" + strings.Repeat("x", 300) + " HTTP/1.1": ": HTTP: POST /" + strings.Repeat("x", maxLine-6) + "...",
	} {
		if got := string(appendStream(nil, []byte(in), len(in), false)); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

// TestHTTP2 looks at frames that Go's encoder of HPACK has made.
func TestHTTP2(t *testing.T) {
	h2 := func(typ, flags byte, stream byte, body string) string {
		return string([]byte{0, byte(len(body) >> 8), byte(len(body)), typ, flags, 0, 0, 0, stream}) + body
	}
	encode := func(resize bool, pairs ...string) string {
		var b strings.Builder
		e := hpack.NewEncoder(&b)
		if resize {
			e.SetMaxDynamicTableSize(0)
			e.SetMaxDynamicTableSize(4000)
		}
		for i := 0; i < len(pairs); i += 2 {
			if err := e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	settings := h2(4, 0, 0, "\x00\x03\x00\x00\x00\x64")
	for _, test := range []struct{ name, data, want string }{
		{"preface", preface, ": HTTP/2 preface"},
		{"preface and settings", preface + settings + h2(8, 0, 0, "\x00\x0f\x00\x01"), ": HTTP/2 preface, SETTINGS, WINDOW_UPDATE"},
		{"settings", settings + h2(4, 1, 0, ""), ": HTTP/2: SETTINGS, SETTINGS ack"},
		{"GET", h2(1, 5, 1, encode(false, ":method", "GET", ":path", "/\x1b")), ": HTTP/2: HEADERS GET"},
		{"POST", h2(1, 4, 3, encode(false, ":method", "POST")) + h2(0, 1, 3, "body"), ": HTTP/2: HEADERS POST, DATA"},
		{"HBONE", preface + settings + h2(1, 4, 1, encode(false, ":method", "CONNECT", ":authority", "10.0.0.1:80")), ": HTTP/2 preface, SETTINGS, HEADERS CONNECT"},
		{"plain string", h2(1, 4, 1, "\x02\x06DELETE"), ": HTTP/2: HEADERS DELETE"},
		{"never indexed", h2(1, 4, 1, "\x12\x03PUT"), ": HTTP/2: HEADERS PUT"},
		{"no method", h2(1, 4, 1, "\x42\x03\x1b[m"), ": HTTP/2: HEADERS"},
		{"string cut", h2(1, 4, 1, "\x42\x7fGET"), ": HTTP/2: HEADERS"},
		{"table size", h2(1, 4, 1, encode(true, ":method", "CONNECT")), ": HTTP/2: HEADERS CONNECT"},
		{"status", h2(1, 4, 1, encode(false, ":status", "404")), ": HTTP/2: HEADERS 404"},
		{"other status", h2(1, 4, 1, encode(false, ":status", "503")), ": HTTP/2: HEADERS"},
		{"reset", h2(3, 0, 1, "\x00\x00\x00\x08"), ": HTTP/2: RST_STREAM error 8"},
		{"goaway", h2(7, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x0b"), ": HTTP/2: GOAWAY error 11"},
		{"ping, data cut", h2(6, 0, 0, "12345678") + h2(0, 0, 1, "body")[:10], ": HTTP/2: PING, DATA"},
		{"many", strings.Repeat(h2(6, 1, 0, "12345678"), 8), ": HTTP/2: PING, PING, PING, PING, PING, PING, ..."},
		{"zeros", strings.Repeat("\x00", 40), ""},
		{"settings of no size", h2(4, 0, 0, "1234567"), ""},
		{"stream bit", h2(0, 0, 1, "x")[:5] + "\x80\x00\x00\x01x", ""},
	} {
		if got := string(appendStream(nil, []byte(test.data), len(test.data), false)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestProxyProtocol: what the sender says, and then what is behind it.
func TestProxyProtocol(t *testing.T) {
	const v2 = "\r\n\r\n\x00\r\nQUIT\n"
	for _, test := range []struct{ name, data, want string }{
		{"v1", "PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET / HTTP/1.1\r\n", ": PROXY TCP4 1.2.3.4 5.6.7.8 9 10: HTTP: GET / HTTP/1.1"},
		{"v1 escapes", "PROXY \x1b[31m\r\n", `: PROXY \x1b[31m`},
		{"v1 too long", "PROXY " + strings.Repeat("x", 200), ""},
		{"v2", v2 + "\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x09\x00\x0a" + preface, ": PROXY v2 1.2.3.4.9 > 5.6.7.8.10: HTTP/2 preface"},
		{"v2 IPv6", v2 + "\x21\x21\x00\x24" + strings.Repeat("\x00", 15) + "\x01\xfd" + strings.Repeat("\x00", 15) + "\x00\x09\x00\x0a", ": PROXY v2 ::1.9 > fd00::.10"},
		{"v2 local", v2 + "\x20\x00\x00\x00", ": PROXY v2 LOCAL"},
		{"v2 cut", v2 + "\x21\x11\x00\x0c\x01", ": PROXY v2 UNKNOWN"},
		{"v3", v2 + "\x31\x11\x00\x00", ""},
	} {
		if got := string(appendStream(nil, []byte(test.data), len(test.data), false)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestTcpdumpHTTP compares requests and responses with those of the original,
// which knows them by their port.
func TestTcpdumpHTTP(t *testing.T) {
	var names []string
	var frames [][]byte
	for name, data := range map[string]string{
		"request":       "GET /a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
		"lines of Unix": "POST /a HTTP/1.0\nHost: x\n\nbody\n",
		"response":      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello\nworld",
		"binary":        "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n\r\n\x00\x01\nz\n",
		"cut":           "GET /a HTTP/1.1\r\nHost: x\r\nAccep",
		"utf-8":         "GET /a HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n",
	} {
		names = append(names, name)
		frames = append(frames, frame(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP),
			&layers.TCP{SrcPort: 40000, DstPort: 80, ACK: true, PSH: true}, gopacket.Payload(data)))
	}
	sameAsTcpdump(t, names, frames, "-nS", Options{Numeric: true})
	sameAsTcpdump(t, names, frames, "-nSv", Options{Numeric: true, Verbose: 1})
	sameAsTcpdump(t, names, frames, "-nSvvK", Options{Numeric: true, Verbose: 2, NoChecksums: true})
}
