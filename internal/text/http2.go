package text

// preface is what a client of HTTP/2 begins with: RFC 9113, 3.4.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// http2HeaderLen is the length of a frame's header: RFC 9113, 4.1.
const http2HeaderLen = 9

// appendHTTP2 appends the preface or the types of the frames that data begins
// with, and reports whether there are any. Headers are not decompressed: what
// they say depends on all that the connection has carried before.
func appendHTTP2(b, data []byte) (_ []byte, ok bool) {
	const shown = 6
	if len(data) >= len(preface) && string(data[:len(preface)]) == preface {
		b, data = append(b, ": HTTP/2 preface"...), data[len(preface):]
		ok = true
	}
	separator := ": HTTP/2: "
	if ok {
		separator = ", "
	}
	for n := 0; plausible(data); n++ {
		if n == shown {
			return append(b, ", ..."...), true
		}
		ok = true
		b = appendFrame(append(b, separator...), data)
		separator = ", "
		body := data[http2HeaderLen:]
		data = body[min(http2Length(data), len(body)):]
	}
	return b, ok
}

func http2Length(frame []byte) int {
	return int(frame[0])<<16 | int(be16(frame[1:]))
}

// http2Frame is the name of a type of frame that is in use, or empty.
func http2Frame(typ uint8) string {
	switch typ {
	case 0:
		return "DATA"
	case 1:
		return "HEADERS"
	case 3:
		return "RST_STREAM"
	case 4:
		return "SETTINGS"
	case 6:
		return "PING"
	case 7:
		return "GOAWAY"
	case 8:
		return "WINDOW_UPDATE"
	case 9:
		return "CONTINUATION"
	}
	return ""
}

// plausible says whether data begins with a frame. Nine bytes are no proof, so
// all that is said of each type is asked for: RFC 9113, 6.
func plausible(data []byte) bool {
	const (
		usualMax  = 1 << 14 // SETTINGS_MAX_FRAME_SIZE
		endStream = 0x01
		ack       = 0x01
		headers   = 0x2d // all flags of HEADERS
		padded    = 0x08

		endHeaders  = 0x04
		manyStreams = 1 << 24
	)
	if len(data) < http2HeaderLen {
		return false
	}
	length, typ, flags, stream := http2Length(data), http2Frame(data[3]), data[4], be32(data[5:])
	if stream>>31 != 0 || length > usualMax {
		return false
	}
	switch typ {
	case "SETTINGS":
		return stream == 0 && length%6 == 0 && flags&^ack == 0 && (flags == 0 || length == 0)
	case "PING":
		return stream == 0 && length == 8 && flags&^ack == 0
	case "GOAWAY":
		return stream == 0 && length >= 8 && flags == 0
	case "WINDOW_UPDATE":
		return length == 4 && flags == 0
	case "RST_STREAM":
		return stream != 0 && length == 4 && flags == 0
	case "HEADERS":
		return stream != 0 && length > 0 && flags&^headers == 0
	case "DATA":
		return stream != 0 && stream < manyStreams && flags&^(endStream|padded) == 0 && length > 0
	case "CONTINUATION":
		return stream != 0 && stream < manyStreams && flags&^endHeaders == 0 && length > 0
	}
	return false
}

// appendFrame appends what a frame is, and what HPACK says in plain: a method
// and status codes of the static table, RFC 7541, A.
func appendFrame(b, frame []byte) []byte {
	name := http2Frame(frame[3])
	b = append(b, name...)
	body := frame[http2HeaderLen:]
	body = body[:min(http2Length(frame), len(body))]
	switch {
	case name == "HEADERS" && frame[4]&0x28 == 0: // neither padded nor with priority
		return appendPlainHeaders(b, body)
	case name == "RST_STREAM" && len(body) >= 4:
		return appendInt(append(b, " error "...), be32(body))
	case name == "GOAWAY" && len(body) >= 8:
		return appendInt(append(b, " error "...), be32(body[4:]))
	case name == "SETTINGS" && frame[4] == 1:
		return append(b, " ack"...)
	}
	return b
}

// appendPlainHeaders appends the method or status that a block of headers
// begins with, where HPACK says it by a byte of its static table or as a
// string: RFC 7541, 6 and A.
func appendPlainHeaders(b, block []byte) []byte {
	const (
		methodGET   = 0x82
		methodPOST  = 0x83
		firstStatus = 0x88
		lastStatus  = 0x8e
		indexMask   = 0x0f
		incremental = 0x40
		resizeMask  = 0xe0
		resize      = 0x20
		most        = 8
		// connect is CONNECT in HPACK's Huffman code, behind its length.
		connect = "\x87\xbd\xab\x4e\x9c\x17\xb7\xff"
	)
	for n := 0; n < most && len(block) > 0 && block[0]&resizeMask == resize; n++ {
		more := block[0]&^resizeMask == 0x1f // the size goes on
		for block = block[1:]; more && len(block) > 0; block = block[1:] {
			more = block[0]&0x80 != 0
		}
	}
	if len(block) == 0 {
		return b
	}
	switch c := block[0]; {
	case c == methodGET:
		return append(b, " GET"...)
	case c == methodPOST:
		return append(b, " POST"...)
	case c >= firstStatus && c <= lastStatus:
		return append(b, " 200 204 206 304 400 404 500"[4*(c-firstStatus):][:4]...)
	case c&incremental == 0 && c >= resize:
		return b
	case c&indexMask != 2 && c&indexMask != 3 || c > incremental|indexMask: // :method
		return b
	}
	value := block[1:]
	if len(value) >= len(connect) && string(value[:len(connect)]) == connect {
		return append(b, " CONNECT"...)
	}
	if len(value) > 0 && int(value[0]) < len(value) && isMethod(value[1:1+value[0]]) {
		return append(append(b, ' '), value[1:1+value[0]]...)
	}
	return b
}
