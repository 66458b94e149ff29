package pcapwriter

import "encoding/binary"

// secretsTLS is the type of a TLS key log, from "Decryption Secrets Block".
const secretsTLS = 0x544c534b

// AppendSecrets appends a Decryption Secrets Block with lines of a TLS key log,
// in the format of SSLKEYLOGFILE, and returns the longer slice. It appends
// nothing when there are none. Readers decrypt the packets that follow with
// them, so the block belongs ahead of these. Whoever has the file can read what
// was encrypted.
func AppendSecrets(b, lines []byte) []byte {
	if len(lines) == 0 {
		return b
	}
	start := len(b)
	b = beginBlock(b, blockSecrets)
	b = binary.LittleEndian.AppendUint32(b, secretsTLS)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(lines)))
	b = pad(append(b, lines...), len(lines))
	return endBlock(b, start)
}

// AddSecrets puts lines of a TLS key log ahead of the packets that follow, see
// [AppendSecrets]. The error is a [*WriteError].
func (w *Writer) AddSecrets(lines []byte) error {
	if w.err != nil {
		return w.err
	}
	w.batch = AppendSecrets(w.batch, lines)
	if len(w.batch) < w.size {
		return nil
	}
	return w.Flush()
}
