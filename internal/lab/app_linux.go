package lab

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxBytes bounds pathBytes.
const maxBytes = 64 << 20

// answer is the application.
func (p part) answer(target string) response {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return response{status: 400, body: err.Error() + "\n"}
	}
	switch u.Path {
	case pathFetch:
		return p.fetch(u.Query().Get("url"))
	case pathBytes:
		n, err := strconv.Atoi(u.Query().Get("n"))
		if err != nil || n < 0 || n > maxBytes {
			return response{status: 400, body: "n is 0 to " + strconv.Itoa(maxBytes) + "\n"}
		}
		return response{status: 200, body: strings.Repeat("icap-lab", n/8+1)[:n]}
	case pathReset:
		return response{abort: true}
	}
	return response{status: 200, body: Greeting(p.Name, target)}
}

// fetch makes a request of its own and hands on the answer.
func (p part) fetch(target string) response {
	u, err := url.Parse(target)
	if err != nil {
		return response{status: 400, body: err.Error() + "\n"}
	}
	to, err := netip.ParseAddrPort(u.Host)
	if err != nil || u.Scheme != "http" {
		return response{status: 400, body: fmt.Sprintf("%q is not http://ADDRESS:PORT/PATH\n", target)}
	}
	x := p.request(Request{To: to, Path: u.RequestURI()})
	if x.Err != "" {
		return response{status: 502, body: x.Err + "\n"}
	}
	return response{status: x.Status, body: x.Body}
}
