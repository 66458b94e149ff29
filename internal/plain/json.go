package plain

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
)

// AppendASCII appends JSON with all that is not ASCII escaped: encoding/json
// leaves what turns the direction of reading as it is. Only strings have that.
func AppendASCII(out, text []byte) []byte {
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// An asciiWriter passes JSON on, with whole values in each Write.
type asciiWriter struct{ to io.Writer }

func (w asciiWriter) Write(p []byte) (int, error) {
	if _, err := w.to.Write(AppendASCII(nil, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// NewJSON makes an encoder whose output cannot talk to a terminal.
func NewJSON(w io.Writer) *json.Encoder { return json.NewEncoder(asciiWriter{w}) }
