package text

import "bytes"

// maxLine is the most that is shown of a line out of a packet, in bytes.
const maxLine = 200

// appendStream appends what a segment says at its beginning: the header of the
// PROXY protocol, the first line of HTTP, frames of HTTP/2 or records of TLS,
// and nothing of anything else.
func appendStream(b, data []byte) []byte {
	b, data = cutProxy(b, data)
	if out, ok := appendHTTP2(b, data); ok {
		return out
	}
	if line := httpLine(data); line != nil {
		return appendLine(append(b, ": HTTP: "...), line)
	}
	return appendTLS(b, data)
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
