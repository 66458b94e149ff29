package text

// A reader takes the parts of a message one after another. Beyond the end it
// returns what is there: a hello often spans several segments.
type reader []byte

// bytes takes n bytes, or all that are left.
func (r *reader) bytes(n int) []byte {
	n = min(n, len(*r))
	out := (*r)[:n:n]
	*r = (*r)[n:]
	return out
}

// number takes a number of n bytes, or 0 where there are not as many.
func (r *reader) number(n int) int {
	v := 0
	b := r.bytes(n)
	if len(b) < n {
		return 0
	}
	for _, c := range b {
		v = v<<8 | int(c)
	}
	return v
}

// vector takes what follows its own length of n bytes: RFC 8446, 3.4.
func (r *reader) vector(n int) reader {
	return r.bytes(r.number(n))
}

// appendTLS appends the hello that data begins with, and nothing for anything
// else: RFC 8446, 4.1.
func appendTLS(b, data []byte) []byte {
	const (
		recordHandshake = 22
		recordHeaderLen = 5
		clientHello     = 1
		serverHello     = 2
		randomLen       = 32
	)
	if len(data) <= recordHeaderLen || data[0] != recordHandshake || data[1] != 3 {
		return b
	}
	r := reader(data[recordHeaderLen:])
	typ := r.number(1)
	if typ != clientHello && typ != serverHello {
		return b
	}
	r = r.vector(3)
	r.bytes(2 + randomLen) // version, random
	r.vector(1)            // session
	if typ == serverHello {
		r.bytes(2 + 1) // cipher suite, compression
		return appendExtensions(append(b, ": TLS: ServerHello"...), r.vector(2))
	}
	r.vector(2) // cipher suites
	r.vector(1) // compression
	return appendExtensions(append(b, ": TLS: ClientHello"...), r.vector(2))
}

// appendExtensions appends whom a hello is for and what it wants to speak, in
// the order in which it says so.
func appendExtensions(b []byte, r reader) []byte {
	const (
		serverName = 0  // RFC 6066, 3
		alpn       = 16 // RFC 7301, 3.1
	)
	for len(r) > 0 {
		typ := r.number(2)
		value := r.vector(2)
		if len(value) == 0 {
			continue
		}
		switch typ {
		case serverName:
			names := value.vector(2)
			names.bytes(1) // the one type there is: a host name
			if name := names.vector(2); len(name) > 0 {
				b = appendLine(append(b, ", SNI "...), name)
			}
		case alpn:
			b = appendALPN(b, value.vector(2))
		}
	}
	return b
}

// appendALPN appends the names of protocols.
func appendALPN(b []byte, names reader) []byte {
	separator := ", ALPN "
	for start := len(b); len(names) > 0 && len(b)-start < maxLine; separator = "," {
		b = appendLine(append(b, separator...), names.vector(1))
	}
	return b
}
