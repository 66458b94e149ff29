package text

// Kinds of labels: RFC 1035, 4.1.4.
const (
	labelKind    = 0xc0
	labelPointer = 0xc0
	labelPlain   = 0x00
)

// skipName returns where the name at a place ends.
func (d *dnsPrinter) skipName(at int) (next int, ok bool) {
	for at < len(d.msg) {
		n := d.msg[at]
		at++
		switch {
		case n == 0:
			return at, true
		case n&labelKind == labelPointer:
			return at + 1, true
		case n&labelKind != labelPlain:
			return at, false
		}
		at += int(n)
	}
	return at, false
}

// appendName appends the name at a place, and returns where it ends. Pointers
// have to point back, so that no name is without end.
func (d *dnsPrinter) appendName(b []byte, at int) (_ []byte, next int, ok bool) {
	const (
		maxName = 255 // RFC 1035, 2.3.4
		maxHops = 127 // as many labels a name can have
	)
	next, ok = d.skipName(at)
	limit, length, hops := at, 0, 0
	for at < len(d.msg) {
		n := int(d.msg[at])
		at++
		switch {
		case n == 0 && length == 0:
			return append(b, '.'), next, ok
		case n == 0:
			return b, next, ok
		case n&labelKind == labelPointer:
			if at >= len(d.msg) {
				return b, at, false
			}
			at = (n&^labelKind)<<8 | int(d.msg[at])
			if hops++; at >= limit || hops > maxHops {
				return append(b, "<BAD PTR>"...), at, false
			}
			limit = at
			continue
		case n&labelKind != labelPlain:
			return append(b, "<BAD LABEL TYPE>"...), at, false
		case at+n > len(d.msg):
			return appendSafe(b, d.msg[at:]), at, false
		}
		if length += n + 1; length > maxName {
			return append(b, "<DOMAIN NAME TOO LONG>"...), next, ok
		}
		b = append(appendSafe(b, d.msg[at:at+n]), '.')
		at += n
	}
	return b, at, false
}
