package main

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"icap/bpfc"
	"icap/internal/netdb"
)

const compileExample = `  icap compile tcp port 80
  icap compile -ddd icmp                         as iptables -m bpf takes it
  icap compile -y RAW --explain 'net 10.0.0.0/8 and not port 22'
  icap compile --live vlan and tcp               as for an interface that runs`

func newCompile() *cobra.Command {
	var (
		dumps    int
		linkType string
		netmask  string
		snaplen  int
		live     bool
		strict   bool
		explain  bool
	)
	cmd := &cobra.Command{
		Use:   "compile [-d|-dd|-ddd] [-y LINKTYPE] [expression]",
		Short: "Compile a filter expression and print the program",
		Long: `compile prints the classic BPF program of a filter expression: as a listing
(-d), as initializers of struct sock_filter (-dd), or as decimal numbers (-ddd).
It needs no privilege.`,
		Example: compileExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if explain {
				text, err := bpfc.Explain(expression(args))
				fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			lt, err := bpfc.LinkTypeByName(linkType)
			if err != nil {
				return usageError{err}
			}
			if snaplen < 0 || snaplen > bpfc.DefaultSnaplen {
				return usagef("-s %d is not between 0 and %d", snaplen, bpfc.DefaultSnaplen)
			}
			o := bpfc.Options{Snaplen: snaplen, Live: live, StrictCIDR: strict, Resolver: &netdb.Resolver{}}
			if netmask != "" {
				if o.Netmask, err = netip.ParseAddr(netmask); err != nil {
					return usagef("--netmask %s: not an address such as 255.255.255.0", netmask)
				}
			}
			program, err := bpfc.CompileOptions(expression(args), lt, o)
			if err != nil {
				return err
			}
			tellNotes(cmd.ErrOrStderr(), program)
			dumpProgram(cmd.OutOrStdout(), program, dumps)
			return nil
		},
	}
	cmd.Flags().CountVarP(&dumps, "dump", "d", "once: listing; twice: C; three times: decimal numbers")
	cmd.Flags().BoolVar(&explain, "explain", false, "say in words what each part matches, instead")
	cmd.Flags().StringVarP(&linkType, "linktype", "y", "EN10MB", "link type of the packets")
	cmd.Flags().IntVarP(&snaplen, "snapshot-length", "s", 0, "keep so many bytes of a packet (0: 262144)")
	cmd.Flags().StringVar(&netmask, "netmask", "", "netmask of the network, for \"ip broadcast\"")
	cmd.Flags().BoolVar(&live, "live", false, "compile for a socket rather than a file")
	cmd.Flags().BoolVar(&strict, "cidr-strict", false, "refuse a CIDR with host bits set instead of clearing them")
	return cmd
}

// tellNotes prints what the compiler understood differently than written.
func tellNotes(w io.Writer, p *bpfc.Program) {
	for _, n := range p.Notes {
		fmt.Fprintf(w, "icap: note: %s\n", n.Msg)
	}
}
