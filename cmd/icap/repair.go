package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"icap/internal/capfile"
	"icap/pcapwriter"
)

const repairLong = `repair cuts a capture file at the end of its last whole block, so that every
program reads it without a warning: after a crash, a kill or a power cut a file
can end in the middle of a packet, or in zeros. The file is cut where it is, or
left alone and copied with -w. All whole blocks stay as they are.

Only an end that looks torn is cut in place. If a file is damaged in its middle,
-w takes what is in front of the damage.`

const repairExample = `  icap repair web.pcapng
  icap repair web.pcapng -w repaired.pcapng`

func newRepair() *cobra.Command {
	var output string
	var force bool
	cmd := &cobra.Command{
		Use:     "repair FILE",
		Short:   "Cut off the torn end of a capture file",
		Long:    repairLong,
		Example: repairExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("repair takes one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return repairFile(cmd.ErrOrStderr(), args[0], output, force)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "w", "", "write what is whole to this file, and leave the other alone")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return cmd
}

// A tail is what is behind the whole blocks of a file.
type tail struct {
	whole   int64 // where it begins, in bytes
	size    int64
	packets uint64 // in front of it
	why     error  // nil if there is no tail
	zeros   bool   // it has nothing else
}

func repairFile(messages io.Writer, path, output string, force bool) error {
	f, err := openRepair(path, output == "")
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := findTail(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case t.why == nil:
		fmt.Fprintf(messages, "icap: %s is whole, with %s\n", printable(path), packets(t.packets))
	case output == "" && !t.torn():
		return fmt.Errorf("%s: %w; %d bytes behind that are more than a torn end: -w FILE takes what is in front of it", path, t.why, t.size)
	default:
		fmt.Fprintf(messages, "icap: %s: %v\n", printable(path), t.why)
		fmt.Fprintf(messages, "icap: cutting off %d bytes%s behind byte %d; %s before it are whole, and how many came later is not known\n",
			t.size, t.content(), t.whole, packets(t.packets))
	}
	if output != "" {
		return copyWhole(f, t.whole, output, force)
	}
	if t.why == nil {
		return nil
	}
	return errors.Join(f.Truncate(t.whole), f.Sync())
}

// openRepair opens a file, to be cut or only read. One that a capture is
// writing cannot be cut.
func openRepair(path string, cut bool) (*os.File, error) {
	if !cut {
		return os.Open(path)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, outputError{err}
	}
	if err := pcapwriter.Lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

// findTail reads a file up to the last whole block.
func findTail(f *os.File) (t tail, err error) {
	r, err := capfile.NewReader(f)
	if err == io.EOF {
		return t, errors.New("the file is empty")
	}
	if err != nil {
		return t, err
	}
	account, err := capfile.Count(r)
	var torn *capfile.TornError
	var wrong *capfile.FormatError
	if err != nil && !errors.As(err, &torn) && !errors.As(err, &wrong) {
		return t, err
	}
	st, serr := f.Stat()
	if serr != nil {
		return t, serr
	}
	t = tail{whole: account.Whole, size: st.Size() - account.Whole, packets: account.Packets, why: err}
	if t.why != nil {
		if account.Whole == 0 {
			return t, fmt.Errorf("%w: not even the header is whole", t.why)
		}
		t.zeros, err = onlyZeros(io.NewSectionReader(f, t.whole, t.size))
		return t, err
	}
	return t, nil
}

// torn reports whether the tail is what a write that did not come to its end
// leaves: the first part of a block, or room that was never written to.
func (t *tail) torn() bool {
	const most = 1 << 20 // more than the largest packet has
	var broken *capfile.TornError
	return t.zeros || errors.As(t.why, &broken) && t.size <= most
}

func (t *tail) content() string {
	if t.zeros {
		return " of zeros"
	}
	return ""
}

func onlyZeros(r io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	zeros := make([]byte, len(buf))
	for {
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// copyWhole writes the first bytes of a file to another.
func copyWhole(f *os.File, size int64, path string, force bool) (err error) {
	to, err := createBeside([]*input{{File: f}}, path, force)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, 0, size))
	if err = errors.Join(err, to.Close()); err != nil {
		return outputError{err}
	}
	return nil
}
