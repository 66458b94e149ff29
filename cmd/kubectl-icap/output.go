package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/api/resource"

	"icap/internal/capfile"
	"icap/internal/text"
	"icap/pcapwriter"
)

// An output is where packets go: into a file, or as lines to standard output.
type output struct {
	path  string
	force bool
}

func (o *output) register(fs *pflag.FlagSet) {
	fs.StringVarP(&o.path, "output", "w", "", "write pcapng to this file; - is standard output")
	fs.BoolVar(&o.force, "force", false, "overwrite an existing file")
}

// open opens the file. It is nil if there is to be none.
func (o *output) open() (*os.File, error) {
	switch o.path {
	case "":
		return nil, nil
	case "-":
		if term.IsTerminal(int(os.Stdout.Fd())) {
			return nil, usagef("-w -: standard output is a terminal; pipe it, or write to a file")
		}
		return os.Stdout, nil
	}
	f, err := pcapwriter.Create(o.path, o.force)
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: use another name, or --force to overwrite it", err)
	}
	return f, err
}

// run captures into the file, or prints.
func (o *output) run(cmd *cobra.Command, cl *cluster, c *capturing, sub string, args []string) error {
	if o.path == "" {
		return pipe(func(out *os.File) error { return c.run(cmd, cl, sub, args, out) }, func(in io.Reader) error {
			return printPackets(in, cmd.OutOrStdout())
		})
	}
	f, err := o.open()
	if err != nil {
		return err
	}
	err = c.run(cmd, cl, sub, args, f)
	if o.path != "-" {
		err = errors.Join(err, o.close(f))
	}
	return err
}

// close closes the file. One that nothing was written to is removed.
func (o *output) close(f *os.File) error {
	st, err := f.Stat()
	err = errors.Join(err, f.Close())
	if err == nil && st.Size() == 0 && st.Mode().IsRegular() {
		err = os.Remove(o.path)
	}
	return err
}

// pipe lets one function read what another writes.
func pipe(write func(*os.File) error, read func(io.Reader) error) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := read(r)
		_ = r.Close() // which ends the writing
		done <- err
	}()
	err = write(w)
	_ = w.Close() // which ends the reading
	rerr := <-done
	if err != nil && errors.Is(rerr, io.ErrUnexpectedEOF) {
		rerr = nil // nothing came
	}
	if errors.Is(rerr, syscall.EPIPE) {
		rerr = nil // who read the lines has seen enough
	}
	return errors.Join(err, rerr)
}

// printPackets prints a line for each packet of a capture.
func printPackets(in io.Reader, to io.Writer) error {
	buffered := bufio.NewReaderSize(in, 1<<16)
	if _, err := buffered.Peek(1); err == io.EOF {
		return nil // nothing was captured
	}
	r, err := capfile.NewReader(buffered)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(to)
	printer := text.New(text.Options{Numeric: true, Relative: true})
	var line []byte
	for {
		b, err := r.Next()
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		if p := b.Packet; p != nil {
			line = printer.AppendLink(line[:0], time.Unix(0, p.Time), p.Interface.Name, p.Interface.LinkType, p.Data, p.Len)
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		if buffered.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

// parseSize reads a number of bytes with a suffix as of tcpdump's or Kubernetes'
// sizes: 64m, 64Mi. It is 0 for no text.
func parseSize(flag, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for suffix, unit := range map[string]string{"k": "Ki", "m": "Mi", "g": "Gi"} {
		if number, ok := strings.CutSuffix(strings.ToLower(s), suffix); ok {
			s = number + unit
		}
	}
	q, err := resource.ParseQuantity(s)
	if err != nil || q.Sign() <= 0 {
		return 0, usagef("%s %s: not a size such as 64m", flag, s)
	}
	return q.Value(), nil
}

// written is an error of the output; a reader that is gone has seen enough.
func written(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}
