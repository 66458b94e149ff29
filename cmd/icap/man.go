package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan writes the manual, which a release has beside the program.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all commands into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			for _, c := range documented(cmd.Root()) {
				path := filepath.Join(args[0], pageName(c)+".1")
				if err := os.WriteFile(path, manPage(c), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// documented are the command and all below it that have a page.
func documented(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			all = append(all, documented(c)...)
		}
	}
	return all
}

// pageName is that of a command's page: icap-pod for icap pod.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage renders a command as man(7) describes it. It has no date, so that a
// release is the same whenever it is made.
func manPage(c *cobra.Command) []byte {
	c.InitDefaultHelpFlag()
	var b bytes.Buffer
	name := pageName(c)
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"icap %s\" \"icap manual\"\n", strings.ToUpper(roff(name)), roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n")
	for i, use := range strings.Split(c.UseLine(), " | ") {
		if i > 0 {
			fmt.Fprintln(&b, ".br")
			use = c.Root().Name() + " " + use
		}
		fmt.Fprintf(&b, "%s\n", roffLine(use))
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n")
	manText(&b, c.Long, c.Short)
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, ".SH COMMANDS\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(pageName(sub)), roffLine(sub.Short))
			}
		}
	}
	fmt.Fprintf(&b, ".SH OPTIONS\n")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			manFlag(&b, f)
		}
	})
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n")
		manText(&b, c.Example, "")
	}
	manEnd(&b, c)
	return b.Bytes()
}

// manEnd writes what stands behind all that is a command's own.
func manEnd(b *bytes.Buffer, c *cobra.Command) {
	fmt.Fprintf(b, ".SH EXIT STATUS\n")
	for code, meaning := range []string{
		exitDone:      "Done.",
		exitFailed:    "Failed before anything was captured; for icap check: a file is not complete.",
		exitUsage:     "The command line or the filter expression makes no sense.",
		exitFault:     "A fault ended the capture: disk full, reader gone, pod or interface deleted. What was written is whole.",
		exitPrivilege: "A privilege is missing, which is named.",
	} {
		fmt.Fprintf(b, ".TP\n%d\n%s\n", code, roffLine(meaning))
	}
	fmt.Fprintf(b, ".SH SEE ALSO\n")
	if c.HasParent() {
		fmt.Fprintf(b, "\\fB%s\\fR(1),\n", roff(pageName(c.Parent())))
	}
	fmt.Fprintf(b, "\\fBpcap\\-filter\\fR(7),\n\\fBtcpdump\\fR(8),\n\\fBwireshark\\fR(1)\n")
}

// manFlag describes one flag.
func manFlag(b *bytes.Buffer, f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	names := "\\fB" + roff("--"+f.Name) + "\\fR"
	if f.Shorthand != "" {
		names = "\\fB" + roff("-"+f.Shorthand) + "\\fR, " + names
	}
	if value != "" {
		names += " \\fI" + roff(value) + "\\fR"
	}
	fmt.Fprintf(b, ".TP\n%s\n%s\n", names, roffLine(usage))
	switch f.DefValue {
	case "", "0", "false", "[]", "0s":
	default:
		fmt.Fprintf(b, "(default %s)\n", roff(f.DefValue))
	}
}

// manText renders paragraphs; those that are indented stay as they are.
func manText(b *bytes.Buffer, text, otherwise string) {
	if text == "" {
		text = otherwise + "."
	}
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			fmt.Fprintln(b, ".PP")
		}
		verbatim := strings.HasPrefix(paragraph, "  ")
		if verbatim {
			fmt.Fprintln(b, ".nf")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			fmt.Fprintln(b, roffLine(line))
		}
		if verbatim {
			fmt.Fprintln(b, ".fi")
		}
	}
}

// roff escapes text inside a line.
func roff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\(ga", "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(s)
}

// roffLine escapes a line of text, which is no request.
func roffLine(s string) string {
	s = roff(s)
	if strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}
