package kernel

import (
	"errors"
	"fmt"
	"io/fs"
)

func readRedirects() (Redirects, error) {
	var f finding
	if err := f.addNFTables(); err != nil {
		return Redirects{}, netfilterError("read rules of nf_tables", err)
	}
	if len(f.hits) == 0 {
		if err := f.addLegacy(); err != nil {
			return Redirects{}, netfilterError("read rules of iptables-legacy", err)
		}
	}
	return f.redirects(), nil
}

// netfilterError names the privilege that is missing, if one is. From
// capabilities(7): CAP_NET_ADMIN is for "administration of IP firewall", and
// netfilter asks for it to read, too.
func netfilterError(op string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: %w (needs CAP_NET_ADMIN in the network namespace)", op, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}
