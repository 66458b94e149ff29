package text

import "icap/internal/flow"

// appendTLS appends the hello that data begins with, and nothing for anything
// else.
func appendTLS(b, data []byte) []byte {
	h, ok := flow.ReadHello(data)
	if !ok {
		return b
	}
	if h.Server {
		b = append(b, ": TLS: ServerHello"...)
	} else {
		b = append(b, ": TLS: ClientHello"...)
	}
	if len(h.Name) > 0 {
		b = appendLine(append(b, ", SNI "...), h.Name)
	}
	start, separator := len(b), ", ALPN "
	for name := range h.Protocols {
		if len(b)-start >= maxLine {
			break
		}
		b = appendLine(append(b, separator...), name)
		separator = ","
	}
	return b
}
