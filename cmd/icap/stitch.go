package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"icap/internal/stitch"
	"icap/pcapwriter"
)

const stitchLong = `stitch makes connections of an app that Istio redirects readable as one: in a
capture of the loopback interface one half of them shows 127.0.0.1:15001, the
other half what the app asked for, and no program can follow them. stitch gives
the first half the app's addresses back, with checksums that are right. A
comment of each changed packet says what was captured and what told; all else is
copied as it is.

While capturing, --stitch does the same, and there the kernel's connection
tracking tells the addresses. In files it takes packets of both halves, or a list
that conntrack(8) has printed in the pod.

IN are pcapng or pcap files, of icap, tcpdump or others, - for standard input.
Several are put behind each other, each as a section of its own. OUT is
pcapng; - is standard output.`

const stitchExample = `  icap stitch web.pcapng stitched.pcapng
  icap stitch --conntrack list.txt web.pcapng stitched.pcapng
  tshark -r stitched.pcapng -q -z follow,tcp,ascii,0
  tcpdump -i lo -w - | icap stitch - - | wireshark -k -i -`

func newStitch() *cobra.Command {
	var (
		options   stitch.Options
		conntrack string
		force     bool
	)
	cmd := &cobra.Command{
		Use:     "stitch IN... OUT",
		Short:   "Give redirected connections in a file their addresses back",
		Long:    stitchLong,
		Example: stitchExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("stitch takes the file to read and the file to write")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			n := len(args) - 1
			var err error
			if options.Conntrack, err = readConntrack(conntrack, cmd.ErrOrStderr()); err != nil {
				return err
			}
			result, err := stitchFiles(cmd.ErrOrStderr(), args[:n], args[n], force, options)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "icap: %s, %d restored, %d of redirected connections whose other half is missing\n",
					packets(result.Packets), result.Restored, result.Unknown)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&options.Annotate, "annotate", false, "only write the comments, and leave the packets as they are")
	cmd.Flags().BoolVar(&options.Checksums, "checksums", false, "complete checksums that were left to hardware, in all packets")
	cmd.Flags().StringVar(&conntrack, "conntrack", "", "also go by this list of connections, as conntrack -L or conntrack -E prints it in the pod")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return cmd
}

// readConntrack reads what conntrack has printed, if there is such a file.
func readConntrack(path string, messages io.Writer) (*stitch.Translations, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := new(stitch.Translations)
	n, err := t.Read(f)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--conntrack %s: %w", path, err)
	case n == 0:
		return nil, usagef("--conntrack %s: no connections as conntrack -L or -E prints them", path)
	}
	fmt.Fprintf(messages, "icap: %d connections in %s\n", n, printable(path))
	return t, nil
}

// stitchFiles begins to read all files before it writes.
func stitchFiles(errs io.Writer, in []string, out string, force bool, o stitch.Options) (result stitch.Result, err error) {
	files, err := openInputs(in)
	defer closeInputs(files)
	if err != nil {
		return result, err
	}
	to := os.Stdout
	if out != "-" {
		if to, err = createBeside(files, out, force); err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, to.Close()) }()
	}
	defer showProgress(errs, false, files)()
	w := stitch.NewWriter(to, o)
	for _, f := range files {
		if err := w.File(f.Reader); err != nil {
			_, werr := w.Flush()
			return result, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), werr)
		}
	}
	return w.Flush()
}

// createBeside creates the output, which must be none of the inputs.
func createBeside(inputs []*input, path string, force bool) (*os.File, error) {
	if st, err := os.Stat(path); err == nil {
		for _, in := range inputs {
			if own, err := in.Stat(); err == nil && os.SameFile(st, own) {
				return nil, usagef("%s is both read and written: name another file to write", path)
			}
		}
	}
	f, err := pcapwriter.Create(path, force)
	if err != nil {
		return nil, outputError{err}
	}
	return f, nil
}
