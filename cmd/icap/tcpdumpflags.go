package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/bpfc"
)

// tcpdumpFlags are those of tcpdump that do something else than to capture, or
// that icap does not take.
type tcpdumpFlags struct {
	list      bool
	linkTypes bool
	linkType  string
	dumps     int
	exprFile  string
	countOnly bool
}

// refusedFlags are tcpdump's, with the reason why icap does not take them.
var refusedFlags = []struct{ letter, long, why string }{
	{"z", "postrotate-command", "icap runs no commands; watch the directory, or use --stats-json"},
	{"E", "decrypt-esp", "icap does not decrypt"},
	{"M", "tcp-md5-secret", "icap does not check signatures"},
	{"T", "packet-type", "icap goes by what packets contain"},
	{"I", "monitor-mode", "icap captures Ethernet and loopback"},
	{"m", "smi-module", "icap does not decode SNMP"},
}

// A refusal is the value of a flag that icap does not take.
type refusal struct{ why string }

func (r refusal) Set(string) error { return errors.New(r.why) }
func (r refusal) String() string   { return "" }
func (r refusal) Type() string     { return "" }

func (f *tcpdumpFlags) register(fs *pflag.FlagSet) {
	fs.BoolVarP(&f.list, "list-interfaces", "D", false, "list the interfaces")
	fs.BoolVarP(&f.linkTypes, "list-data-link-types", "L", false, "list the link types of an interface")
	fs.StringVarP(&f.linkType, "linktype", "y", "EN10MB", "capture with this link type, of which there is but one")
	fs.CountVarP(&f.dumps, "dump", "d", "print the program of the expression instead of capturing; -dd as C, -ddd as numbers")
	fs.StringVarP(&f.exprFile, "filter-file", "F", "", "read the expression from this file")
	fs.BoolVar(&f.countOnly, "count-only", false, "with -r: only count the packets")
	for _, r := range refusedFlags {
		fs.VarPF(refusal{r.why}, r.long, r.letter, "not taken: "+r.why).Hidden = true
	}
}

// instead does what was asked for instead of a capture. It is not done if
// nothing was.
func (f *tcpdumpFlags) instead(cmd *cobra.Command, c *captureFlags, expr string) (done bool, err error) {
	if lt, err := bpfc.LinkTypeByName(f.linkType); err != nil || lt != bpfc.Ethernet {
		return true, usagef("-y %s: icap captures EN10MB; icap compile and icap read know others", f.linkType)
	}
	out := cmd.OutOrStdout()
	switch {
	case f.dumps > 0:
		program, err := c.compile(expr, anyMask)
		if err != nil {
			return true, err
		}
		tellNotes(cmd.ErrOrStderr(), program)
		dumpProgram(out, program, f.dumps)
		return true, nil
	case f.list, f.linkTypes:
		p, err := c.place()
		if err != nil {
			return true, err
		}
		defer p.ns.Close()
		if f.list {
			return true, listInterfaces(out, p)
		}
		links, err := p.named(c.names())
		for _, l := range links {
			fmt.Fprintf(out, "Data link types for %s (use option -y to set):\n  EN10MB (Ethernet)\n", printable(l.Name))
		}
		return true, err
	}
	return false, nil
}

// dumpProgram prints a program as -d, -dd or -ddd ask for.
func dumpProgram(out io.Writer, p *bpfc.Program, dumps int) {
	switch dumps {
	case 0, 1:
		fmt.Fprint(out, p.Dump())
	case 2:
		fmt.Fprint(out, p.DumpC())
	default:
		fmt.Fprint(out, p.DumpDecimal())
	}
}

// listInterfaces prints the interfaces that icap can capture on, with numbers
// that -i takes.
func listInterfaces(out io.Writer, p *place) error {
	for i, l := range p.usable() {
		state := "Down"
		if l.Up {
			state = "Up"
		}
		if l.Loopback {
			state += ", Loopback"
		}
		if _, err := fmt.Fprintf(out, "%d.%s [%s]\n", i+1, printable(l.Name), state); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%d.any (all of them) [Up]\n", len(p.usable())+1)
	return err
}

// expression is that of the file of -F, or else the words of the command line.
func (f *tcpdumpFlags) expression(words []string) (string, error) {
	if f.exprFile == "" {
		return expression(words), nil
	}
	const most = 1 << 20
	file, err := os.Open(f.exprFile)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && len(text) > most {
		err = usagef("-F %s: more than %d bytes", f.exprFile, most)
	}
	return strings.TrimSpace(string(text)), err
}
