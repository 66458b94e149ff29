package labtest_test

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

func TestMain(m *testing.M) {
	lab.RunRole()
	os.Exit(m.Run())
}

func TestNamespace(t *testing.T) {
	var names []string
	t.Run("use", func(t *testing.T) {
		a, b := labtest.Namespace(t), labtest.Namespace(t)
		names = append(names, a.String(), b.String())
		labtest.Veth(t, a, "eth0", b, "eth1",
			netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("192.0.2.2/24"),
			netip.MustParsePrefix("198.51.100.1/24"))
		for i, ns := range []interface{ Do(func() error) error }{a, b} {
			want := []int{3, 2}[i] // With lo's address, IPv6 left out.
			if err := ns.Do(func() error {
				addrs, err := net.InterfaceAddrs()
				got := 0
				for _, a := range addrs {
					if a.(*net.IPNet).IP.To4() != nil {
						got++
					}
				}
				if got != want {
					t.Errorf("end %d: got addresses %v, want %d of IPv4", i, addrs, want)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	})
	for _, name := range names {
		if _, err := os.Stat("/run/netns/" + name); !os.IsNotExist(err) {
			t.Errorf("%s outlived its test: %v", name, err)
		}
	}
}

func TestNew(t *testing.T) {
	l := labtest.New(t, lab.Config{Apply: lab.NFTables})
	x, err := l.Inbound(t.Context(), true, "/")
	if err != nil || x.Status != 200 {
		t.Errorf("got %+v, %v", x, err)
	}
}
