package text

// Types of records, from IANA's "Resource Record (RR) TYPEs".
const (
	dnsA     = 1
	dnsNS    = 2
	dnsCNAME = 5
	dnsSOA   = 6
	dnsPTR   = 12
	dnsMX    = 15
	dnsTXT   = 16
	dnsAAAA  = 28
	dnsSRV   = 33
	dnsDNAME = 39
	dnsOPT   = 41
)

// appendDNSType appends a type by its name, or by its number.
func appendDNSType(b []byte, typ uint16) []byte {
	if name := dnsTypeName(typ); name != "" {
		return append(b, name...)
	}
	return appendInt(append(b, "Type"...), typ)
}

// dnsTypeName is the name of a type that is in use, or empty.
func dnsTypeName(typ uint16) string {
	names := [...]string{
		dnsA: "A", dnsNS: "NS", dnsCNAME: "CNAME", dnsSOA: "SOA", 10: "NULL", 11: "WKS", dnsPTR: "PTR",
		13: "HINFO", 14: "MINFO", dnsMX: "MX", dnsTXT: "TXT", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY",
		dnsAAAA: "AAAA", 29: "LOC", dnsSRV: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT", dnsDNAME: "DNAME",
		dnsOPT: "OPT", 42: "APL", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY",
		49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 55: "HIP", 59: "CDS",
		60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS",
	}
	if int(typ) < len(names) {
		return names[typ]
	}
	switch typ {
	case 99:
		return "SPF"
	case 249:
		return "TKEY"
	case 250:
		return "TSIG"
	case 251:
		return "IXFR"
	case 252:
		return "AXFR"
	case 255:
		return "ANY"
	case 256:
		return "URI"
	case 257:
		return "CAA"
	}
	return ""
}

// dnsOpcode is the name of an operation behind a space, empty for a query.
func dnsOpcode(op uint8) string {
	return [16]string{
		"", " inv_q", " stat", " op3", " notify", " update", " op6", " op7", " op8",
		" updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef",
	}[op]
}

// appendDNSError appends the name of a response code behind a space, and
// nothing for success. Names are tcpdump's.
func appendDNSError(b []byte, code int) []byte {
	names := [...]string{
		1: "FormErr", 2: "ServFail", 3: "NXDomain", 4: "NotImp", 5: "Refused", 6: "YXDomain", 7: "YXRRSet",
		8: "NXRRSet", 9: "NotAuth", 10: "NotZone", 15: "NoChange", 16: "BadVers", 23: "BadCookie",
	}
	if code == 0 {
		return b
	}
	b = append(b, ' ')
	if code < len(names) && names[code] != "" {
		return append(b, names[code]...)
	}
	return appendInt(append(b, "Resp"...), code)
}
