package capfile

import "encoding/binary"

// TypeSecrets is a Decryption Secrets Block.
const TypeSecrets = 10

// AppendTLSSecrets appends a Decryption Secrets Block with lines of a TLS key
// log, as SSLKEYLOGFILE has them, and returns the longer slice. Readers use
// them for packets that come later in the section. Whoever has the file can
// read what was encrypted.
func AppendTLSSecrets(out []byte, order binary.ByteOrder, lines []byte) []byte {
	const keyLog = 0x544c534b // "TLS Key Log"
	start := len(out)
	n := uint32(headerLen + 8 + aligned(len(lines)) + trailerLen)
	for _, v := range []uint32{TypeSecrets, n, keyLog, uint32(len(lines))} {
		out = append(out, 0, 0, 0, 0)
		order.PutUint32(out[len(out)-4:], v)
	}
	out = append(out, lines...)
	out = append(out, 0, 0, 0)[:start+int(n)-trailerLen]
	out = append(out, 0, 0, 0, 0)
	order.PutUint32(out[len(out)-4:], n)
	return out
}
