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
	listFile  string
	countOnly bool
	stamps    bool
	stamp     string
	precision string
	ignored   bool
}

// refusedFlags are tcpdump's, with the reason why icap does not take them.
var refusedFlags = []struct{ letter, long, why string }{
	{"z", "postrotate-command", "icap runs no commands; watch the directory, or use --stats-json"},
	{"E", "decrypt-esp", "icap does not decrypt"},
	{"M", "tcp-md5-secret", "icap does not check signatures"},
	{"T", "packet-type", "icap goes by what packets contain"},
	{"I", "monitor-mode", "icap captures Ethernet and loopback"},
	{"H", "mesh", "icap does not decode 802.11s"},
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
	fs.BoolVar(&f.countOnly, "count", false, "with -r or -V: only count the packets")
	fs.BoolVar(&f.countOnly, "count-only", false, "the same as --count")
	fs.StringVarP(&f.listFile, "file-list", "V", "", "read the files whose names are the lines of this file; - is standard input")
	fs.BoolVarP(&f.stamps, "list-time-stamp-types", "J", false, "list the types of time stamps of an interface")
	fs.StringVarP(&f.stamp, "time-stamp-type", "j", "host", "take time stamps of this type, of which there is but one: those of the kernel")
	fs.StringVar(&f.precision, "time-stamp-precision", "", "print times in microseconds (micro) or nanoseconds (nano); files have nanoseconds")
	_ = fs.MarkHidden("count-only") // it was defined above
	for letter, long := range map[string]string{"O": "no-optimize", "f": "foreign-numeric", "b": "asdot"} {
		fs.BoolVarP(&f.ignored, long, letter, false, "accepted for tcpdump's sake: it makes no difference")
		_ = fs.MarkHidden(long) // it was defined in the line above
	}
	for _, r := range refusedFlags {
		flag := fs.VarPF(refusal{r.why}, r.long, r.letter, "not taken: "+r.why)
		flag.Hidden = true
		if r.letter == "H" || r.letter == "I" {
			flag.NoOptDefVal = "true" // they have no value
		}
	}
}

// prefer passes the precision of times on.
func (f *tcpdumpFlags) prefer(p *printFlags) error {
	switch f.precision {
	case "", "micro":
	case "nano":
		p.nano = !p.micro
	default:
		return usagef("--time-stamp-precision %q is not micro or nano", f.precision)
	}
	return nil
}

// instead does what was asked for instead of a capture. It is not done if
// nothing was.
func (f *tcpdumpFlags) instead(cmd *cobra.Command, c *captureFlags, expr string) (done bool, err error) {
	if lt, err := bpfc.LinkTypeByName(f.linkType); err != nil || lt != bpfc.Ethernet {
		return true, usagef("-y %s: icap captures EN10MB; icap compile and icap read know others", f.linkType)
	}
	if !strings.HasPrefix(f.stamp, "host") || f.stamp == "host_lowprec" {
		return true, usagef("-j %s: icap takes the time stamps of the kernel, host; -J lists the types", f.stamp)
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
	case f.list, f.linkTypes, f.stamps:
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
			if f.stamps {
				fmt.Fprintf(out, "Time stamp types for %s (use option -j to set):\n  host (Host)\n", printable(l.Name))
				continue
			}
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

// listed are the files to read that -V names, one a line.
func (f *tcpdumpFlags) listed() (names []string, err error) {
	if f.listFile == "" {
		return nil, nil
	}
	text, err := readText("-V", f.listFile)
	for name := range strings.Lines(text) {
		if name = strings.TrimRight(name, "\r\n"); name != "" {
			names = append(names, name)
		}
	}
	if err == nil && len(names) == 0 {
		err = usagef("-V %s: it names no file", f.listFile)
	}
	return names, err
}

// expression is that of the file of -F, or else the words of the command line.
func (f *tcpdumpFlags) expression(words []string) (string, error) {
	if f.exprFile == "" {
		return expression(words), nil
	}
	text, err := readText("-F", f.exprFile)
	return strings.TrimSpace(text), err
}

// readText reads the file of a flag, which is short; - is standard input.
func readText(flag, path string) (string, error) {
	const most = 1 << 20
	file := os.Stdin
	if path != "-" {
		var err error
		if file, err = os.Open(path); err != nil {
			return "", err
		}
		defer file.Close()
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && len(text) > most {
		err = usagef("%s %s: more than %d bytes", flag, path, most)
	}
	return string(text), err
}
