package text

import "icap/internal/flow"

// appendTLS appends the hello that data begins with, or what records it begins
// with otherwise, and nothing for anything else.
func appendTLS(b, data []byte) []byte {
	h, ok := flow.ReadHello(data)
	if !ok {
		return appendRecords(b, data)
	}
	if h.Server {
		b = append(b, ": TLS: ServerHello"...)
	} else {
		b = append(b, ": TLS: ClientHello"...)
	}
	switch h.Version {
	case flow.TLS12:
		b = append(b, " 1.2"...)
	case flow.TLS13:
		b = append(b, " 1.3"...)
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
