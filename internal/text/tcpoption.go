package text

// Kinds of options, from IANA's "TCP Option Kind Numbers".
const (
	optEnd       = 0
	optNoOp      = 1
	optMSS       = 2
	optWScale    = 3
	optSACKOK    = 4
	optSACK      = 5
	optTimestamp = 8
	optMD5       = 19 // RFC 2385
	optTimeout   = 28 // RFC 5482
	optAuth      = 29 // RFC 5925
	optFastOpen  = 34 // RFC 7413
	optTrial     = 254
)

// appendTCPOptions appends options of length bytes, of which o was captured.
// SACK blocks are counted from sackFrom. They are not ok if the line ends with
// what is wrong with them.
func appendTCPOptions(b, o []byte, length int, sackFrom uint32) (_ []byte, ok bool) {
	begun := false
	for length > 0 {
		if begun {
			b = append(b, ',')
		}
		if len(o) == 0 {
			return append(b, " [|tcp]"...), false
		}
		kind := o[0]
		n := 1
		if kind != optEnd && kind != optNoOp {
			if length == 1 {
				return appendBadOption(b, begun), false
			}
			if len(o) < 2 {
				return append(b, " [|tcp]"...), false
			}
			if n = int(o[1]); n < 2 || n > length {
				return appendBadOption(b, begun), false
			}
		}
		b = appendOptionName(b, kind)
		head := min(n, 2)
		used, fits := optionLen(kind, n-head)
		switch {
		case head+used > length, kind == optTrial && n < 4:
			return appendBadOption(b, begun), false
		case head+used > len(o):
			return appendCutOption(b, o[head:], kind, n, begun, sackFrom), false
		}
		b = appendOptionValue(b, kind, o[head:head+used], sackFrom)
		if !fits {
			b = append(appendInt(append(b, "[len "...), n), ']')
		}
		if kind == optEnd {
			return b, true
		}
		o, length = o[head+used:], length-head-used
		begun = true
	}
	return b, true
}

// optionLen is how many bytes the value of an option has, of which its length
// says n, and whether that fits.
func optionLen(kind byte, n int) (used int, fits bool) {
	switch kind {
	case optEnd, optNoOp, optSACKOK:
		used = 0
	case optMSS, optTimeout:
		used = 2
	case optWScale:
		used = 1
	case optTimestamp:
		used = 8
	case optMD5:
		used = 16
	default:
		used = n
	}
	return used, used == n
}

// appendBadOption ends the options with one that cannot be.
func appendBadOption(b []byte, begun bool) []byte {
	b = append(b, "[bad opt]"...)
	if begun {
		b = append(b, ']')
	}
	return b
}

// appendCutOption ends the options with one that was not captured to its end.
func appendCutOption(b, value []byte, kind byte, n int, begun bool, sackFrom uint32) []byte {
	switch {
	case kind == optSACK && (n-2)%8 == 0:
		b = appendSACK(b, value, n-2, sackFrom)
	case kind == optAuth && len(value) >= 2:
		b = appendAuth(b, value)
	case optionCuts(kind):
		b = append(b, " 0x"...)
		b = appendDigits(b, value)
	}
	b = append(b, " [|tcp]"...)
	if begun {
		b = append(b, '>') // tcpdump's bracket, for what it has begun
	}
	return b
}

// optionCuts says whether an option is shown as digits, as far as it was
// captured.
func optionCuts(kind byte) bool {
	switch kind {
	case optEnd, optNoOp, optMSS, optWScale, optSACKOK, optSACK, optTimestamp, optMD5, optTimeout, optAuth, optFastOpen, optTrial:
		return false
	}
	return true
}

// appendOptionName appends the name of an option as it stands ahead of its
// value.
func appendOptionName(b []byte, kind byte) []byte {
	switch kind {
	case optEnd:
		return append(b, "eol"...)
	case optNoOp:
		return append(b, "nop"...)
	case optMSS:
		return append(b, "mss"...)
	case optWScale:
		return append(b, "wscale"...)
	case optSACKOK:
		return append(b, "sackOK"...)
	case optSACK:
		return append(b, "sack"...)
	case optTimestamp:
		return append(b, "TS"...)
	case optMD5:
		return append(b, "md5"...)
	case optTimeout:
		return append(b, "uto"...)
	case optAuth:
		return append(b, "tcp-ao"...)
	case optFastOpen:
		return append(b, "tfo"...)
	case optTrial:
		return append(b, "exp"...)
	}
	return appendInt(append(b, "unknown-"...), kind)
}

// appendOptionValue appends the value of an option that is whole.
func appendOptionValue(b []byte, kind byte, value []byte, sackFrom uint32) []byte {
	switch kind {
	case optEnd, optNoOp, optSACKOK:
		return b
	case optMSS:
		return appendInt(append(b, ' '), be16(value))
	case optWScale:
		return appendInt(append(b, ' '), value[0])
	case optSACK:
		return appendSACK(b, value, len(value), sackFrom)
	case optTimestamp:
		b = appendInt(append(b, " val "...), be32(value))
		return appendInt(append(b, " ecr "...), be32(value[4:]))
	case optMD5:
		return appendDigits(append(b, " can't check - "...), value)
	case optTimeout:
		return appendTimeout(b, be16(value))
	case optAuth:
		return appendAuth(b, value)
	case optFastOpen:
		return appendFastOpen(append(b, ' '), value)
	case optTrial:
		return appendTrial(b, value)
	}
	if len(value) == 0 {
		return b
	}
	return appendDigits(append(b, " 0x"...), value)
}

// appendSACK appends the blocks of a selective acknowledgement of length bytes:
// RFC 2018. Those that were not captured are left out.
func appendSACK(b, blocks []byte, length int, from uint32) []byte {
	if length%8 != 0 {
		return append(b, " invalid sack"...)
	}
	b = append(appendInt(append(b, ' '), length/8), ' ')
	for ; len(blocks) >= 8; blocks = blocks[8:] {
		b = appendInt(append(b, '{'), be32(blocks)-from)
		b = appendInt(append(b, ':'), be32(blocks[4:])-from)
		b = append(b, '}')
	}
	return b
}

// appendTimeout appends how long the sender waits for an acknowledgement, in
// seconds.
func appendTimeout(b []byte, v uint16) []byte {
	const minutes = 1
	b = appendShortHex(append(b, ' '), uint32(v))
	seconds := uint32(v >> 1)
	if v&minutes != 0 {
		seconds *= 60
	}
	return appendInt(append(b, ' '), seconds)
}

// appendAuth appends which keys authenticate.
func appendAuth(b, value []byte) []byte {
	if len(value) < 2 {
		return append(b, invalid...)
	}
	b = appendInt(append(b, " keyid "...), value[0])
	b = appendInt(append(b, " rnextkeyid "...), value[1])
	if len(value) > 2 {
		b = appendDigits(append(b, " mac 0x"...), value[2:])
	}
	return b
}

// appendFastOpen appends a cookie, or that one is asked for.
func appendFastOpen(b, cookie []byte) []byte {
	switch n := len(cookie); {
	case n == 0:
		return append(b, " cookiereq"...)
	case n%2 != 0 || n < 4 || n > 16:
		return append(b, invalid...)
	}
	return appendDigits(append(b, " cookie "...), cookie)
}

// appendTrial appends whose experiment it is: RFC 6994.
func appendTrial(b, value []byte) []byte {
	const fastOpen = 0xf989
	b = append(b, '-')
	if be16(value) == fastOpen {
		return appendFastOpen(append(b, "tfo"...), value[2:])
	}
	return appendDigits(b, value[:2])
}
