package capfile_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

// TestNames reads what pcapwriter wrote, and nothing beyond what is there when
// a block is cut or lies.
func TestNames(t *testing.T) {
	file := pcapwriter.AppendSection(nil, &pcapwriter.Section{})
	at := len(file)
	file = pcapwriter.AppendNames(file, []pcapwriter.Name{
		{Addr: netip.MustParseAddr("10.0.0.1"), Names: []string{"web", "other"}},
		{Addr: netip.MustParseAddr("fd00::1"), Names: []string{"db.shop"}},
	})
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		b, err := r.Next()
		if err != nil {
			break
		}
		for a, name := range b.Names {
			got = append(got, a.String()+" "+name)
		}
	}
	if want := "[10.0.0.1 web fd00::1 db.shop]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	r, err = capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	whole := file[at:]
	for n := range whole {
		for i := range n {
			raw := bytes.Clone(whole[:n])
			raw[i] = 0xff
			for _, name := range (&capfile.Block{Type: capfile.TypeNames, Raw: raw, Order: first.Order}).Names {
				if name == "" {
					t.Errorf("%d bytes of which byte %d is wrong: an empty name", n, i)
				}
			}
		}
	}
}
