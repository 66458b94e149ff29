package pcapwriter

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
)

// TestAddSecrets puts secrets between packets, of every length modulo 4.
func TestAddSecrets(t *testing.T) {
	f, w := newWriter(t, Config{})
	log := []byte("CLIENT_RANDOM 00 00\n")
	for n := range 4 {
		if err := w.AddSecrets(log[:len(log)-n]); err != nil {
			t.Fatal(err)
		}
		if err := w.WritePacket(&Packet{Data: udpFrame(10), Time: 1_700_000_000_000_000_000}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddSecrets(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 4)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	var found [][]byte
	for _, k := range walk(t, b) {
		if k.typ == blockSecrets {
			found = append(found, k.body[8:8+binary.LittleEndian.Uint32(k.body[4:])])
		}
	}
	if len(found) != 4 || !bytes.Equal(found[0], log) || !bytes.Equal(found[3], log[:len(log)-3]) {
		t.Errorf("found %q", found)
	}
	if err := w.AddSecrets(log); err == nil {
		t.Error("a writer that is closed takes secrets")
	}
}
