package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"icap/internal/text"
)

// printFlags say how packets are printed. All letters are tcpdump's.
type printFlags struct {
	numeric  int
	link     bool
	verbose  int
	quick    bool
	times    int
	absolute bool
	number   bool
	hex      int
	both     int
	text     bool
	nano     bool
	micro    bool
	noSums   bool
	lengths  bool
	colour   string
	names    bool
	ignored  bool
}

func (f *printFlags) register(fs *pflag.FlagSet) {
	fs.CountVarP(&f.numeric, "numeric", "n", "print ports as numbers; addresses always are")
	fs.BoolVarP(&f.link, "link", "e", false, "print the link-layer header")
	fs.CountVarP(&f.verbose, "verbose", "v", "print the header of IP, and check checksums; more often: more")
	fs.BoolVarP(&f.quick, "quick", "q", false, "print less")
	fs.CountVarP(&f.times, "time", "t", "once: no time, -tt: seconds since 1970, -ttt: since the packet before, -tttt: with the date, -ttttt: since the first")
	fs.BoolVarP(&f.absolute, "absolute-tcp-sequence-numbers", "S", false, "print TCP's numbers as they are on the wire")
	fs.BoolVarP(&f.number, "number", "#", false, "number the packets")
	fs.CountVarP(&f.hex, "hex", "x", "print the bytes in hexadecimal digits; -xx with the link layer")
	fs.CountVarP(&f.both, "hex-and-text", "X", "print the bytes in hexadecimal digits and as text; -XX with the link layer")
	fs.BoolVarP(&f.text, "text", "A", false, "print the bytes as text")
	fs.BoolVar(&f.nano, "nano", false, "print times in nanoseconds")
	fs.BoolVar(&f.micro, "micro", false, "print times in microseconds, which is usual")
	fs.BoolVarP(&f.noSums, "dont-verify-checksums", "K", false, "with -v: do not check checksums")
	fs.BoolVar(&f.lengths, "lengths", false, "print how much of a packet was captured, and its length on the wire")
	fs.BoolVar(&f.names, "names", false, "print hosts by the names that the file has or that icap puts into files, such as those of pods; nothing is looked up")
	fs.StringVar(&f.colour, "color", "auto", "colour legs, resets and ends of connections: always, never, or auto, which is on a terminal")
	for letter, long := range map[string]string{
		"N": "no-domain-names", "l": "line-buffered", "U": "packet-buffered", "u": "undecoded-nfs",
	} {
		fs.BoolVarP(&f.ignored, long, letter, false, "accepted for tcpdump's sake: it is always so")
		_ = fs.MarkHidden(long) // it was defined in the line above
	}
}

// check refuses what makes no sense.
func (f *printFlags) check() error {
	switch {
	case f.times > 5:
		return usagef("-t at most five times")
	case !slices.Contains([]string{"", "auto", "always", "never"}, f.colour):
		return usagef("--color %q is not auto, always or never", f.colour)
	case f.nano && f.micro:
		return usagef("--nano and --micro exclude each other")
	}
	return nil
}

// printer renders packets as the flags say, for an output.
func (f *printFlags) printer(out io.Writer) *text.Printer {
	o := text.Options{
		Link:     f.link,
		Numeric:  f.numeric > 0,
		Time:     text.TimeFormat(f.times),
		Nano:     f.nano,
		Relative: !f.absolute,
		Quick:    f.quick,
		Verbose:  f.verbose,
		Lengths:  f.lengths,
		Colour:   coloured(f.colour, out),

		NoChecksums: f.noSums,
	}
	switch {
	case f.both > 0:
		o.Dump, o.DumpLink = text.BothDump, f.both > 1
	case f.hex > 0:
		o.Dump, o.DumpLink = text.HexDump, f.hex > 1
	case f.text:
		o.Dump, o.DumpLink = text.TextDump, f.link
	}
	return text.New(o)
}

// appendNumber appends the number of a packet, if so wished.
func (f *printFlags) appendNumber(b []byte, n uint64) []byte {
	if !f.number {
		return b
	}
	const width = 5
	s := strconv.FormatUint(n, 10)
	return fmt.Appendf(b, "%*s  ", width, s)
}
