package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/internal/capfile"
	"icap/internal/sight"
	"icap/internal/text"
)

const readLong = `read prints one line a packet of capture files, or writes those that match the
expression to another file (-w), with all that the files say of interfaces,
names and statistics.

FILE is pcapng or pcap, also compressed by gzip or zstd; - is standard input.
The first words that name files are files, and the rest is the expression; -- can
stand between them. Several files are read as one, in time order.`

const readExample = `  icap read web.pcapng 'tcp[tcpflags] & tcp-rst != 0'
  icap read node1.pcapng node2.pcap.gz -w both.pcapng
  icap read web.pcapng --trigger rst --pre 1s --post 1s -w resets.pcapng
  icap -r web.pcapng -nc 10`

// readFlags are those of reading.
type readFlags struct {
	output    string
	force     bool
	count     uint64
	skip      uint64
	countOnly bool
	keyLog    string
	trigger   triggerFlags
	print     printFlags
}

func (f *readFlags) register(fs *pflag.FlagSet) {
	fs.StringVarP(&f.output, "output", "w", "", "write the packets to this file, as pcapng; - is standard output")
	fs.BoolVar(&f.force, "force", false, "overwrite an existing file")
	fs.VarP((*packetCount)(&f.count), "max-packets", "c", "stop after so many packets")
	fs.Uint64Var(&f.skip, "skip", 0, "leave out so many packets first")
	fs.BoolVar(&f.countOnly, "count", false, "only count the packets")
	fs.BoolVar(&f.countOnly, "count-only", false, "the same as --count")
	_ = fs.MarkHidden("count-only") // it was defined in the line above
	fs.StringVar(&f.keyLog, "keylog", "", "with -w: put the TLS secrets of this file, as of SSLKEYLOGFILE, ahead of the packets")
	f.trigger.register(fs)
	f.print.register(fs)
}

// check refuses what makes no sense.
func (f *readFlags) check() error {
	switch {
	case f.trigger.perEvent:
		return usagef("--file-per-event is about captures, not about files that are read")
	case f.trigger.on() && f.countOnly:
		return usagef("--trigger and --count-only exclude each other")
	}
	if err := f.trigger.check(); err != nil {
		return err
	}
	if err := f.trigger.fit(memoryLeft()); err != nil {
		return err
	}
	if f.trigger.signalled() {
		return usagef("--trigger %s is for captures: nothing happens while a file is read", triggerSignal)
	}
	return f.print.check()
}

func newRead() *cobra.Command {
	var f readFlags
	cmd := &cobra.Command{
		Use:     "read FILE... [expression]",
		Short:   "Print or select the packets of capture files",
		Long:    readLong,
		Example: readExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("a file to read is needed")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			n := cmd.ArgsLenAtDash()
			if n < 0 {
				n = countFiles(args)
			}
			return f.read(cmd, args[:n], expression(args[n:]))
		},
	}
	f.register(cmd.Flags())
	completeTriggers(cmd)
	return cmd
}

// countFiles is how many of the first words name files, one at least.
func countFiles(words []string) int {
	n := 1
	for n < len(words) {
		if st, err := os.Stat(words[n]); words[n] != "-" && (err != nil || st.IsDir()) {
			break
		}
		n++
	}
	return n
}

// read reads files to their end, or up to the count.
func (f *readFlags) read(cmd *cobra.Command, paths []string, expr string) error {
	secrets, err := f.secrets(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	inputs, err := openInputs(paths)
	defer closeInputs(inputs)
	if err != nil {
		return err
	}
	defer showProgress(cmd.ErrOrStderr(), f.output == "" && !f.countOnly, inputs)()
	put, finish, err := f.to(inputs, cmd.OutOrStdout(), secrets)
	if err != nil {
		return err
	}
	if f.trigger.on() {
		around := newTriggerReader(&f.trigger, cmd.ErrOrStderr(), f.limited(put))
		defer around.end()
		put = around.block
	} else {
		put = f.limited(put)
	}
	err = errors.Join(f.pass(merged(inputs), sight.NewSelection(expr), put), finish())
	if errors.Is(err, syscall.EPIPE) {
		return nil // who read the lines has seen enough
	}
	return err
}

// secrets reads the key log, if there is to be one in the file.
func (f *readFlags) secrets(messages io.Writer) ([]byte, error) {
	switch {
	case f.keyLog == "":
		return nil, nil
	case f.output == "":
		return nil, usagef("--keylog puts secrets into a file: name it with -w")
	}
	lines, n, err := readKeyLog(f.keyLog)
	if err == nil {
		fmt.Fprintf(messages, "icap: NOTE: %s gets %d TLS secrets: whoever has it can read what was encrypted\n", printable(f.output), n)
	}
	return lines, err
}

// errCounted ends reading when there are as many packets as wanted.
var errCounted = errors.New("as many packets as wanted")

// limited lets so many packets through as are wanted.
func (f *readFlags) limited(put func(*capfile.Block) error) func(*capfile.Block) error {
	if f.count == 0 {
		return put
	}
	n := f.count
	return func(b *capfile.Block) error {
		if n == 0 {
			return errCounted
		}
		err := put(b)
		if b.Packet != nil {
			n--
		}
		if err == nil && n == 0 {
			err = errCounted
		}
		return err
	}
}

// pass passes on the packets that match, and all blocks that are no packets.
func (f *readFlags) pass(in blocks, s *sight.Selection, put func(*capfile.Block) error) error {
	var skipped uint64
	for {
		b, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if b.Packet != nil {
			if ok, err := s.Has(b.Packet); err != nil {
				return err
			} else if !ok {
				continue
			}
			if skipped < f.skip {
				skipped++
				continue
			}
		}
		if err := put(b); err == errCounted {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// to is where blocks go: to a file, or as lines to standard output. finish
// comes last.
func (f *readFlags) to(inputs []*input, out io.Writer, secrets []byte) (put func(*capfile.Block) error, finish func() error, err error) {
	const size = 1 << 20
	if f.countOnly {
		var n uint64
		put = func(b *capfile.Block) error {
			if b.Packet != nil {
				n++
			}
			return nil
		}
		return put, func() error { _, err := fmt.Fprintln(out, packets(n)); return err }, nil
	}
	if f.output == "" {
		lines := bufio.NewWriter(out)
		return f.printer(lines, f.print.printer(out)), lines.Flush, nil
	}
	to := os.Stdout
	if f.output != "-" {
		if to, err = createBeside(inputs, f.output, f.force); err != nil {
			return nil, nil, err
		}
	}
	w := bufio.NewWriterSize(to, size)
	put = func(b *capfile.Block) error {
		if b.Type != capfile.TypeSection {
			_, err := w.Write(b.Raw)
			return err
		}
		b.Unmeasure()
		_, err := w.Write(b.Raw)
		if err == nil && secrets != nil {
			_, err = w.Write(capfile.AppendTLSSecrets(nil, b.Order, secrets))
		}
		return err
	}
	return put, func() error { return errors.Join(w.Flush(), to.Close()) }, nil
}

// printer prints packets, with the name of their interface where there are
// several.
func (f *readFlags) printer(out *bufio.Writer, p *text.Printer) func(*capfile.Block) error {
	var line []byte
	n := f.skip
	var names []string
	return func(b *capfile.Block) error {
		if b.Packet == nil {
			if f.print.names {
				b.Names(func(a netip.Addr, name string) bool { p.Name(a, name); return true })
			}
			return nil
		}
		if !slices.Contains(names, b.Packet.Interface.Name) {
			names = append(names, b.Packet.Interface.Name)
		}
		label := ""
		if leg := sight.Leg(b.Packet.Interface.Name); leg != "" || len(names) > 1 {
			label, _, _ = strings.Cut(b.Packet.Interface.Name, "@")
		}
		n++
		linkType := b.Packet.Interface.LinkType
		line = f.print.appendNumber(line[:0], n)
		line = p.AppendLink(line, time.Unix(0, b.Packet.Time), label, linkType, b.Packet.Data, b.Packet.Len)
		line = append(p.AppendDump(line, linkType, b.Packet.Data), '\n')
		_, err := out.Write(line)
		return err
	}
}

// readListed adds the files of -V to those of -r.
func (f *captureFlags) readListed() error {
	names, err := f.other.listed()
	f.files = append(f.files, names...)
	return err
}

// readInstead reads files as tcpdump -r does.
func (f *captureFlags) readInstead(cmd *cobra.Command, expr string) error {
	if len(f.interfaces) > 0 || f.netns != "" || f.pid != 0 {
		return usagef("-r and -V read files, and -i, --netns and --pid capture: which?")
	}
	if f.rotation.rotates() || f.rotation.maxBytes.bytes > 0 {
		return usagef("-C, -G, --interval and --max-bytes are about captures, not about files that are read")
	}
	r := readFlags{output: f.output, force: f.force, count: f.count, skip: f.skip, countOnly: f.other.countOnly, keyLog: f.keys.path, print: f.print, trigger: f.trigger}
	if err := r.check(); err != nil {
		return err
	}
	if err := r.read(cmd, f.files, expr); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}
