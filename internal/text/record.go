package text

// appendRecords appends what the TLS records are that data begins with, if
// they are no hello: alerts, data and the rest of a handshake. What TLS 1.3
// encrypts all looks like data.
func appendRecords(b, data []byte) []byte {
	const (
		headerLen = 5
		maxLen    = 1<<14 + 256 // RFC 5246, 6.2.3; the later limit is lower
		shown     = 4
	)
	separator := ": TLS: "
	for n := 0; len(data) >= headerLen; n++ {
		length := int(be16(data[3:]))
		name := recordName(data[0])
		if name == "" || data[1] != 3 || data[2] > 4 || length == 0 || length > maxLen {
			return b
		}
		if n == shown {
			return append(b, ", ..."...)
		}
		b = append(append(b, separator...), name...)
		separator = ", "
		body := data[headerLen:]
		if data[0] == recordAlert && length == 2 && len(body) >= 2 {
			b = appendAlert(b, body[0], body[1])
		}
		data = body[min(length, len(body)):]
	}
	return b
}

// Types of records: RFC 8446, 5.1.
const (
	recordCipher    = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
)

func recordName(typ uint8) string {
	switch typ {
	case recordCipher:
		return "ChangeCipherSpec"
	case recordAlert:
		return "alert"
	case recordHandshake:
		return "handshake"
	case recordData:
		return "application data"
	}
	return ""
}

// appendAlert appends what an alert in the clear says, from IANA's "TLS
// Alerts".
func appendAlert(b []byte, level, code uint8) []byte {
	switch level {
	case 1:
		b = append(b, " warning "...)
	case 2:
		b = append(b, " fatal "...)
	default:
		b = append(appendInt(append(b, " level-"...), level), ' ')
	}
	if name := alertName(code); name != "" {
		return append(b, name...)
	}
	return appendInt(b, code)
}

func alertName(code uint8) string {
	switch code {
	case 0:
		return "close_notify"
	case 10:
		return "unexpected_message"
	case 20:
		return "bad_record_mac"
	case 40:
		return "handshake_failure"
	case 42:
		return "bad_certificate"
	case 43:
		return "unsupported_certificate"
	case 44:
		return "certificate_revoked"
	case 45:
		return "certificate_expired"
	case 46:
		return "certificate_unknown"
	case 47:
		return "illegal_parameter"
	case 48:
		return "unknown_ca"
	case 49:
		return "access_denied"
	case 50:
		return "decode_error"
	case 51:
		return "decrypt_error"
	case 70:
		return "protocol_version"
	case 71:
		return "insufficient_security"
	case 80:
		return "internal_error"
	case 90:
		return "user_canceled"
	case 109:
		return "missing_extension"
	case 112:
		return "unrecognized_name"
	case 116:
		return "certificate_required"
	case 120:
		return "no_application_protocol"
	}
	return ""
}
