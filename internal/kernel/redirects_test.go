package kernel_test

import (
	"testing"

	"icap/internal/kernel"
)

func TestRedirectsIPv6(t *testing.T) {
	for source, want := range map[string]bool{
		"":                                     false,
		"nf_tables ip nat":                     false,
		"legacy ip nat":                        false,
		"nf_tables ip nat, nf_tables ip6 nat":  true,
		"nf_tables inet istio-proxy-nat":       true,
		"nf_tables ip inet6, legacy ip mangle": false,
	} {
		if got := (&kernel.Redirects{Source: source}).IPv6(); got != want {
			t.Errorf("%q: %v", source, got)
		}
	}
}
