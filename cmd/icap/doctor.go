package main

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"icap/internal/plain"
)

const doctorLong = `doctor looks at what capturing takes on this machine, or in the pod TARGET: the
kernel, privileges, what of the node is mounted here, memory, and the disk that
a capture would be written to. Each line says what was found and, where something
is missing, what does not work without it and what to do.

The exit code is 0 if a capture works, 4 if a privilege is missing that it
cannot do without, and 1 for anything else.`

const doctorExample = `  icap doctor                         what works here, and what does not
  icap doctor shop/web                also in the namespace of a pod
  icap doctor -w /captures/x.pcapng   how a file there would be written
  icap doctor -o json | jq '.[] | select(.health != "ok")'`

// A health is how a check ended.
type health string

// The healths.
const (
	fine    health = "ok"
	limited health = "limited" // something works less well, or not at all
	broken  health = "missing" // no capture works
)

// A finding is one thing that doctor has looked at.
type finding struct {
	Name   string `json:"name"`
	Health health `json:"health"`
	Found  string `json:"found"`
	// Advice is what is lost, and what to do.
	Advice string `json:"advice,omitempty"`

	privilege bool // it is one that is missing
}

// doctorFlags say what is looked at.
type doctorFlags struct{ format, procRoot, output string }

// anyOutput stands for a file in the current directory.
const anyOutput = "capture.pcapng"

func newDoctor() *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:     "doctor [TARGET]",
		Short:   "Say what is missing on this machine to capture",
		Long:    doctorLong,
		Example: doctorExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, ok := doctorFormats[flags.format]
			if !ok {
				return usagef("-o %q is not text or json", flags.format)
			}
			findings := examine(args, &flags)
			if err := print(cmd.OutOrStdout(), findings); err != nil {
				return outputError{err}
			}
			return diagnosis(findings)
		},
	}
	cmd.Flags().StringVarP(&flags.format, "output", "o", "text", "text or json")
	cmd.Flags().StringVarP(&flags.output, "file", "w", anyOutput, "the file that a capture is to be written to")
	registerProcRoot(cmd.Flags(), &flags.procRoot)
	completeTargets(cmd)
	return cmd
}

// diagnosis is an error if no capture works.
func diagnosis(findings []finding) error {
	for _, f := range findings {
		switch {
		case f.Health == broken && f.privilege:
			return fmt.Errorf("%s: %w", f.Name, fs.ErrPermission)
		case f.Health == broken:
			return fmt.Errorf("%s: %s", f.Name, f.Found)
		}
	}
	return nil
}

var doctorFormats = map[string]func(io.Writer, []finding) error{
	"text": func(w io.Writer, findings []finding) error {
		for _, f := range findings {
			if _, err := fmt.Fprintf(w, "%-8s %-20s %s\n", f.Health, f.Name, printable(f.Found)); err != nil {
				return err
			}
			if f.Advice != "" {
				if _, err := fmt.Fprintf(w, "%-8s %-20s %s\n", "", "", f.Advice); err != nil {
					return err
				}
			}
		}
		return nil
	},
	"json": func(w io.Writer, findings []finding) error {
		e := plain.NewJSON(w)
		e.SetIndent("", "  ")
		return e.Encode(findings)
	},
}
