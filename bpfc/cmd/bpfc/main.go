// Command bpfc compiles a filter expression and prints the program in decimal,
// in the form of tcpdump -ddd. It is for scripts that compare compilers.
//
//	bpfc -dlt EN10MB|number [-netmask mask] [-live] -- expression
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"icap/bpfc"
	"icap/internal/netdb"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bpfc:", err)
		os.Exit(1)
	}
}

// run is main with its arguments and output.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bpfc", flag.ContinueOnError)
	dlt := flags.String("dlt", "EN10MB", "link type, by its name or number")
	netmask := flags.String("netmask", "", "netmask of the network, for ip broadcast")
	live := flags.Bool("live", false, "compile for a socket rather than a file")
	strict := flags.Bool("cidr-strict", false, "refuse networks with host bits set")
	snaplen := flags.Int("snaplen", 0, "keep so many bytes of a packet (0: 262144)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	lt, err := linkType(*dlt)
	if err != nil {
		return err
	}
	o := bpfc.Options{Live: *live, StrictCIDR: *strict, Snaplen: *snaplen, Resolver: &netdb.Resolver{}}
	if *netmask != "" {
		if o.Netmask, err = address(*netmask); err != nil {
			return err
		}
	}
	p, err := bpfc.CompileOptions(strings.Join(flags.Args(), " "), lt, o)
	var e *bpfc.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%w\n%s", err, e.Caret())
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, p.DumpDecimal())
	return err
}

// linkType returns the link type with a name or a number.
func linkType(name string) (bpfc.LinkType, error) {
	if n, err := strconv.ParseUint(name, 10, 16); err == nil {
		return bpfc.LinkType(n), nil
	}
	return bpfc.LinkTypeByName(name)
}

// address returns an IPv4 address, which can be written as a number too.
func address(text string) (netip.Addr, error) {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return netip.ParseAddr(text)
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), nil
}
