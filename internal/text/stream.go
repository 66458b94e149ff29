package text

import "bytes"

// maxLine is the most that is shown of a line out of a packet, in bytes.
const maxLine = 200

// appendStream appends what a segment says at its beginning: the header of the
// PROXY protocol, the first line of HTTP, frames of HTTP/2 or records of TLS,
// and nothing of anything else. Verbose, it appends all lines of HTTP. Length is
// how long data was on the wire.
func appendStream(b, data []byte, length int, verbose bool) []byte {
	before := len(data)
	b, data = cutProxy(b, data)
	length -= before - len(data)
	if out, ok := appendHTTP2(b, data); ok {
		return out
	}
	line := httpLine(data)
	switch {
	case line == nil:
		return appendTLS(b, data)
	case verbose:
		return appendLines(appendInt(append(b, ": HTTP, length: "...), length), data)
	}
	return appendLine(append(b, ": HTTP: "...), line)
}

// appendLines appends lines of text, each on one of its own, as far as they are
// text. The last one may be cut.
func appendLines(b, data []byte) []byte {
	const most = 4096
	for left := most; len(data) > 0; {
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		if ended {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		if left -= len(line); left < 0 {
			return append(b, "\n\t..."...)
		}
		if !isText(line) {
			return b
		}
		b = appendSafe(append(b, "\n\t"...), line)
		if !ended {
			return append(b, " [|http]"...)
		}
		data = rest
	}
	return b
}

// isText reports whether a line is one for people.
func isText(line []byte) bool {
	for _, c := range line {
		if (c < ' ' || c > '~') && c != '\t' {
			return false
		}
	}
	return true
}

// appendLine appends text of a packet, cut where it is too long to read.
func appendLine(b, line []byte) []byte {
	if len(line) > maxLine {
		return append(appendSafe(b, line[:maxLine]), "..."...)
	}
	return appendSafe(b, line)
}

// httpLine returns the request or status line that data begins with, without
// its end, or nil. The line may be cut by the end of data.
func httpLine(data []byte) []byte {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return line
	}
	method, target, ok := bytes.Cut(line, []byte(" "))
	if ok && isMethod(method) && len(target) > 0 {
		return line
	}
	return nil
}

// isMethod knows the methods of RFC 9110 and RFC 5789.
func isMethod(m []byte) bool {
	switch string(m) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE",
		"PATCH":
		return true
	}
	return false
}
