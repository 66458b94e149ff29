package pcapwriter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// newWriter makes a file and a writer with the test's header.
func newWriter(t testing.TB, c Config) (*os.File, *Writer) {
	t.Helper()
	f := tempFile(t)
	w, err := NewWriter(f, testHeader(), c)
	if err != nil {
		t.Fatal(err)
	}
	return f, w
}

// size is the length of a file in bytes.
func size(t testing.TB, f *os.File) int64 {
	t.Helper()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}

func TestWriterHeaderAtOnce(t *testing.T) {
	f, w := newWriter(t, Config{})
	if got := w.Stats(); got.Packets != 0 || int64(got.Bytes) != size(t, f) || got.Bytes == 0 {
		t.Errorf("stats are %+v, the file has %d bytes", got, size(t, f))
	}
	judgeFile(t, f.Name(), 0)
}

// TestWriterBatches: nothing goes out before a batch is full, and then all of
// it does.
func TestWriterBatches(t *testing.T) {
	for _, batch := range []int{0, 1, 100, 4096} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			f, w := newWriter(t, Config{BatchSize: batch})
			limit := batch
			if batch == 0 {
				limit = defaultBatchSize
			}
			p := Packet{Data: udpFrame(900)}
			one := len(AppendPacket(nil, &p))
			buffered := 0
			for n := 1; n <= 3000; n++ {
				if err := w.WritePacket(&p); err != nil {
					t.Fatal(err)
				}
				if buffered += one; buffered >= limit {
					buffered = 0
				}
				want := uint64(n - buffered/one)
				if got := w.Stats(); got.Packets != want {
					t.Fatalf("after %d packets %d are written, want %d", n, got.Packets, want)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := w.Stats(); got.Packets != 3000 || got.Lost != 0 || int64(got.Bytes) != size(t, f) {
				t.Errorf("stats are %+v, the file has %d bytes", got, size(t, f))
			}
			b, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if _, got := gopacketRead(t, b); len(got) != 3000 {
				t.Errorf("gopacket reads %d packets", len(got))
			}
		})
	}
}

func TestWriterLargePacket(t *testing.T) {
	f, w := newWriter(t, Config{BatchSize: 1000})
	for _, n := range []int{10, 200000, 10} {
		if err := w.WritePacket(&Packet{Data: make([]byte, n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 3)
}

// TestWriterSnaplen: libpcap refuses packets that are longer than the file
// says, so a tag that is put back must not make them so.
func TestWriterSnaplen(t *testing.T) {
	h := testHeader()
	for i := range h.Interfaces {
		h.Interfaces[i].Snaplen = 60
	}
	f := tempFile(t)
	w, err := NewWriter(f, h, Config{})
	if err != nil {
		t.Fatal(err)
	}
	frame := udpFrame(100)
	tagged := VLAN{TCI: 7, Present: true}
	for _, p := range []Packet{
		{Data: frame[:60], Len: 142},
		{Data: frame[:60], Len: 142, VLAN: tagged},
		{Data: frame[:57], Len: 142, VLAN: tagged},
		{Data: frame[:56], Len: 142, VLAN: tagged},
		{Data: frame},
	} {
		if err := w.WritePacket(&p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	judgeFile(t, f.Name(), 5)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	_, got := gopacketRead(t, b)
	for i, wire := range []int{142, 146, 146, 146, 142} {
		if len(got[i].data) != 60 || got[i].wire != wire {
			t.Errorf("packet %d: %d of %d bytes, want 60 of %d", i, len(got[i].data), got[i].wire, wire)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		ifs  []Interface
	}{
		{"no interface", nil},
		{"link types", []Interface{{LinkType: 1}, {LinkType: 113}}},
		{"snapshot lengths", []Interface{{LinkType: 1, Snaplen: 1}, {LinkType: 1, Snaplen: 2}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := tempFile(t)
			_, err := NewWriter(f, &Header{Interfaces: test.ifs}, Config{})
			if err == nil || size(t, f) != 0 {
				t.Errorf("error %v, file of %d bytes", err, size(t, f))
			}
		})
	}

	_, w := newWriter(t, Config{})
	if err := w.WritePacket(&Packet{Interface: 2}); err == nil {
		t.Error("no error for a packet of an unknown interface")
	}
	if err := w.WriteStatistics(&Statistics{Interface: 2}); err == nil {
		t.Error("no error for statistics of an unknown interface")
	}
	if err := w.WritePacket(&Packet{Interface: 1}); err != nil {
		t.Errorf("the writer is of no use any more: %v", err)
	}
}

func TestWriterClosed(t *testing.T) {
	_, w := newWriter(t, Config{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"WritePacket":     w.WritePacket(&Packet{}),
		"WriteStatistics": w.WriteStatistics(&Statistics{}),
		"Flush":           w.Flush(),
		"Close":           w.Close(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v, want %v", name, err, os.ErrClosed)
		}
	}
}

// TestWriterClosedFile: a file that was closed too early is a fault like any.
func TestWriterClosedFile(t *testing.T) {
	f, w := newWriter(t, Config{})
	f.Close()
	if err := w.WritePacket(&Packet{}); err != nil {
		t.Fatal(err)
	}
	err := w.Flush()
	var fault *WriteError
	if !errors.As(err, &fault) || !errors.Is(err, os.ErrClosed) || fault.Torn {
		t.Errorf("error is %#v", err)
	}
	if got := w.Stats(); got.Packets != 0 || got.Lost != 1 {
		t.Errorf("stats are %+v", got)
	}
}

// TestWriterAppends: behind something else in the file, counting and cutting
// begin there.
func TestWriterAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "two.pcapng")
	for range 2 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(f, testHeader(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WritePacket(&Packet{Data: udpFrame(1)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, got := gopacketRead(t, b); len(got) != 2 {
		t.Errorf("gopacket reads %d packets of two sections, want 2", len(got))
	}
	if got := tsharkFields(t, path, "frame.number"); len(got) != 2 {
		t.Errorf("tshark reads %d packets of two sections, want 2", len(got))
	}
}

func TestWriterPipe(t *testing.T) {
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(r)
		read <- b
	}()
	w, err := NewWriter(p, testHeader(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	data := udpFrame(1400)
	for range 2000 {
		if err := w.WritePacket(&Packet{Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p.Close()
	b := <-read
	_, packets := gopacketRead(t, b)
	if got := w.Stats(); len(packets) != 2000 || got.Packets != 2000 || got.Bytes != uint64(len(b)) {
		t.Errorf("%d packets in %d bytes came through, stats are %+v", len(packets), len(b), got)
	}
	if !bytes.Equal(packets[1999].data, data) {
		t.Error("the last packet has changed on its way")
	}
}

// TestWriteFrame writes what WritePacket does, whatever is unusual.
func TestWriteFrame(t *testing.T) {
	h := testHeader()
	for i := range h.Interfaces {
		h.Interfaces[i].Snaplen = 4000
	}
	var out [2][]byte
	for i := range out {
		f := tempFile(t)
		w, err := NewWriter(f, h, Config{BatchSize: 3000})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			for _, data := range [][]byte{bytes.Repeat([]byte{0xff}, n), bytes.Repeat([]byte{0xff}, 3970+n)} {
				for _, wire := range []int{0, len(data), 5000} {
					p := Packet{Interface: uint32(n & 1), Time: 1<<60 + int64(n), Data: data, Len: wire,
						Direction: Direction(n % 3), Reception: Reception(n / 3 % 5)}
					if i == 0 {
						err = w.WritePacket(&p)
					} else {
						err = w.WriteFrame(p.Interface, p.Time, p.Data, p.Len, p.Direction, p.Reception)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if err := w.WriteFrame(2, 0, nil, 0, 0, 0); err == nil {
			t.Error("no error for a frame of an unknown interface")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteFrame(0, 0, nil, 0, 0, 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("WriteFrame after Close: %v", err)
		}
		if got := w.Stats().Packets; got != 420 || w.Delivered(0) != 210 {
			t.Errorf("%d packets, %d of the first interface", got, w.Delivered(0))
		}
		if out[i], err = os.ReadFile(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out[0], out[1]) {
		t.Errorf("%d bytes, and by WriteFrame %d", len(out[0]), len(out[1]))
	}
}

func TestWritePacketAllocs(t *testing.T) {
	_, w := newWriter(t, Config{BatchSize: 64 << 10})
	p := Packet{Data: udpFrame(1400), Direction: Inbound, VLAN: VLAN{Present: true}}
	n := testing.AllocsPerRun(10000, func() {
		if err := w.WritePacket(&p); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per packet, want 0", n)
	}
}

func BenchmarkWritePacket(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	for _, n := range []int{64, 256, 1500} {
		b.Run(fmt.Sprintf("size=%d", n), func(b *testing.B) {
			w, err := NewWriter(null, testHeader(), Config{})
			if err != nil {
				b.Fatal(err)
			}
			p := Packet{Data: make([]byte, n), Len: n, Direction: Inbound}
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				if err := w.WritePacket(&p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/pkt")
		})
	}
}
