package text

import "bytes"

// cutProxy appends the header of the PROXY protocol that data begins with, in
// the form of version 1, and returns what is behind it.
func cutProxy(b, data []byte) (_, rest []byte) {
	const (
		maxV1     = 107 // bytes, as the protocol has it
		signature = "\r\n\r\n\x00\r\nQUIT\n"
		headerLen = len(signature) + 4
	)
	if bytes.HasPrefix(data, []byte("PROXY ")) {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) <= maxV1 {
			return appendLine(append(b, ": "...), line), rest
		}
		return b, data
	}
	if len(data) < headerLen || string(data[:len(signature)]) != signature || data[len(signature)]>>4 != 2 {
		return b, data
	}
	h := data[len(signature):]
	addrs := data[headerLen:]
	addrs = addrs[:min(int(be16(h[2:])), len(addrs))]
	rest = data[headerLen+len(addrs):]
	b = append(b, ": PROXY v2 "...)
	size := 0
	switch {
	case h[0]&0xf == 0:
		return append(b, "LOCAL"...), rest
	case h[1] == 0x11, h[1] == 0x12: // TCP and UDP over IPv4
		size = 4
	case h[1] == 0x21, h[1] == 0x22:
		size = 16
	}
	if size == 0 || len(addrs) < 2*size+4 {
		return append(b, "UNKNOWN"...), rest
	}
	b = append(appendAddr(b, addrs[:size]), '.')
	b = appendInt(b, be16(addrs[2*size:]))
	b = append(appendAddr(append(b, " > "...), addrs[size:2*size]), '.')
	return appendInt(b, be16(addrs[2*size+2:])), rest
}
