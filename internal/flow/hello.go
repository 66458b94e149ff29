package flow

// A Hello is what a TLS hello says, RFC 8446, 4.1. Its fields lie in the
// segment that it was read from.
type Hello struct {
	Server bool
	// Version is the newest that a client offers, or what the server chose.
	Version uint16
	Name    []byte // SNI, RFC 6066
	alpn    field
}

// Versions of TLS.
const (
	TLS12 = 0x0303
	TLS13 = 0x0304
)

// A field takes the parts of a message one after another. Beyond the end it
// returns what is there: a hello can span several segments.
type field []byte

// take takes n bytes, or all that are left.
func (f *field) take(n int) []byte {
	n = min(n, len(*f))
	out := (*f)[:n:n]
	*f = (*f)[n:]
	return out
}

// number takes a number of n bytes, or 0 where there are not as many.
func (f *field) number(n int) int {
	v := 0
	b := f.take(n)
	if len(b) < n {
		return 0
	}
	for _, c := range b {
		v = v<<8 | int(c)
	}
	return v
}

// vector takes what follows its own length of n bytes, RFC 8446, 3.4.
func (f *field) vector(n int) field { return f.take(f.number(n)) }

// ReadHello reads the hello that the payload of a segment begins with, as far
// as it goes. It does not allocate.
func ReadHello(data []byte) (h Hello, ok bool) {
	const (
		recordHandshake = 22
		recordHeader    = 5
		clientHello     = 1
		serverHello     = 2
		random          = 32
	)
	if len(data) <= recordHeader || data[0] != recordHandshake || data[1] != 3 {
		return h, false
	}
	f := field(data[recordHeader:])
	kind := f.number(1)
	if kind != clientHello && kind != serverHello {
		return h, false
	}
	h.Server = kind == serverHello
	f = f.vector(3)
	h.Version = uint16(f.number(2))
	f.take(random)
	f.vector(1) // session
	if h.Server {
		f.take(2 + 1) // cipher suite, compression
	} else {
		f.vector(2) // cipher suites
		f.vector(1) // compression
	}
	h.extensions(f.vector(2))
	return h, true
}

// extensions reads whom the hello is for and what it wants to speak.
func (h *Hello) extensions(f field) {
	const (
		serverName = 0  // RFC 6066, 3
		alpn       = 16 // RFC 7301, 3.1
		versions   = 43 // RFC 8446, 4.2.1
	)
	for len(f) > 0 {
		kind := f.number(2)
		value := f.vector(2)
		if len(value) == 0 {
			continue
		}
		switch kind {
		case serverName:
			names := value.vector(2)
			names.take(1) // the one type there is: a host name
			h.Name = names.vector(2)
		case alpn:
			h.alpn = value.vector(2)
		case versions:
			h.versions(value)
		}
	}
}

// versions takes the newest version, without the reserved values of RFC 8701.
func (h *Hello) versions(f field) {
	if !h.Server {
		f = f.vector(1)
	}
	for len(f) >= 2 {
		if v := uint16(f.number(2)); v&0x0f0f != 0x0a0a && v > h.Version {
			h.Version = v
		}
	}
}

// Protocols calls yield with each protocol of ALPN, until it returns false.
func (h *Hello) Protocols(yield func([]byte) bool) {
	for rest := h.alpn; len(rest) > 0; {
		if name := rest.vector(1); len(name) > 0 && !yield(name) {
			return
		}
	}
}
