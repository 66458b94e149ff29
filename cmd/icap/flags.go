package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"icap/afpacket"
	"icap/internal/netdb"
	"icap/internal/stitch"
)

// captureFlags are the flags of all commands that capture.
type captureFlags struct {
	interfaces  []string
	output      string
	write       string
	force       bool
	count       uint64
	skip        uint64
	snaplen     int
	noPromisc   bool
	direction   string
	duration    time.Duration
	untilEOF    bool
	untilSilent time.Duration
	as          string
	includeOwn  bool
	strictCIDR  bool
	alsoPrint   bool
	stitch      bool
	annotate    bool
	checksums   bool
	epbFlags    string
	rotation    rotationFlags
	keys        keyFlags
	trigger     triggerFlags

	print printFlags
	rings ringFlags
	stats statFlags
	guard guardFlags

	netns    string
	pid      int
	files    []string // to read instead
	other    tcpdumpFlags
	procRoot string

	criSocket string // of the container runtime, empty for the usual ones

	resolver   netdb.Resolver // for the names of the filter
	extensions int            // what filters can ask beside a packet's bytes; 0 before the kernel was asked
}

// register defines the flags. Those with a letter are tcpdump's.
func (f *captureFlags) register(fs *pflag.FlagSet) {
	f.registerBasic(fs)
	f.registerOutput(fs)
}

// registerBasic defines those of all commands that capture.
func (f *captureFlags) registerBasic(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.interfaces, "interface", "i", nil, "capture on this interface; repeatable, or a list with commas; any is all of them")
	fs.VarP((*packetCount)(&f.count), "max-packets", "c", "stop after so many packets")
	fs.IntVarP(&f.snaplen, "snapshot-length", "s", 0, "keep so many bytes of a packet (0: 262144)")
	fs.BoolVarP(&f.noPromisc, "no-promiscuous-mode", "p", false, "leave the interface out of promiscuous mode")
	fs.StringVarP(&f.direction, "direction", "Q", "inout", "capture only packets that go this way: in, out or inout")
	fs.DurationVar(&f.duration, "duration", 0, "stop after this time, such as 30s")
	fs.BoolVar(&f.untilEOF, "until-stdin-eof", false, "stop when standard input ends, as that of kubectl exec -i or ssh does when the client is gone")
	fs.DurationVar(&f.untilSilent, silentFlag, 0, "stop when standard input ends, or nothing has come through it for this time, as from a client whose network is gone")
	fs.StringVar(&f.as, "as", "", "call the target this in the file and in messages, such as web-0.shop")
	registerProcRoot(fs, &f.procRoot)
	registerCRI(fs, &f.criSocket)
	fs.BoolVar(&f.strictCIDR, "cidr-strict", false, "refuse a CIDR with host bits set instead of clearing them")
	f.rings.register(fs)
	f.guard.register(fs)
}

// registerOutput defines those of commands whose output is packets.
func (f *captureFlags) registerOutput(fs *pflag.FlagSet) {
	fs.StringVarP(&f.output, "output", "w", "", "write pcapng to this file; - is standard output")
	fs.StringVar(&f.write, "write", writeAuto, "how the file is written: direct (by O_DIRECT from the ring), copy, or auto")
	fs.BoolVar(&f.force, "force", f.force, "overwrite an existing file")
	f.rotation.register(fs)
	f.trigger.register(fs)
	f.trigger.registerFiles(fs)
	fs.StringVar(&f.epbFlags, "packet-flags", "auto", "note the direction of each packet in the file, in 12 bytes: on, off or auto, which is on but for a plain capture on one interface that is copied")
	fs.BoolVar(&f.stitch, "stitch", false, "give redirected packets on lo the addresses back that the app saw, as icap stitch does with files")
	fs.BoolVar(&f.includeOwn, "include-own-stream", false, "with -w -: also capture the connection through which the output leaves, such as that of ssh")
	f.keys.register(fs)
	fs.BoolVar(&f.annotate, "annotate", false, "with --stitch: only write the comments, and leave the packets as they are")
	fs.BoolVar(&f.checksums, "checksums", false, "with --stitch: complete checksums that were left to hardware, in all packets")
	fs.Uint64Var(&f.skip, "skip", 0, "leave out so many packets first")
	fs.BoolVar(&f.alsoPrint, "print", false, "with -w: print the packets, too")
	f.print.register(fs)
	f.stats.register(fs)
}

// registerProcRoot defines the flag for a container that has the root of the
// node mounted.
func registerProcRoot(fs *pflag.FlagSet, root *string) {
	fs.StringVar(root, "proc-root", "/proc", "where the node's processes are, such as /host/proc")
}

// registerPlace defines the flags that say where the packets of plain
// captures are.
func (f *captureFlags) registerPlace(fs *pflag.FlagSet) {
	f.other.register(fs)
	fs.StringArrayVarP(&f.files, "read", "r", nil, "read this file instead of capturing; repeatable, - is standard input")
	fs.StringVar(&f.netns, "netns", "", "capture in the namespace of this path or ip-netns name")
	fs.IntVar(&f.pid, "pid", 0, "capture in the namespace of this process")
}

// directions are the values of -Q.
var directions = map[string]afpacket.Direction{
	"inout": afpacket.InOut, "in": afpacket.In, "out": afpacket.Out,
}

// endsWithInput reports whether a capture ends when standard input does.
func (f *captureFlags) endsWithInput() bool { return f.untilEOF || f.untilSilent > 0 }

// check refuses what makes no sense before anything is done.
func (f *captureFlags) check() error {
	switch {
	case f.netns != "" && f.pid != 0:
		return usagef("--netns and --pid exclude each other")
	case f.pid < 0:
		return usagef("--pid %d is not a process number", f.pid)
	case f.snaplen < 0 || f.snaplen > afpacket.MaxSnaplen:
		return usagef("-s %d is not between 0 and %d", f.snaplen, afpacket.MaxSnaplen)
	case !slices.Contains([]string{"", "auto", "on", "off"}, f.epbFlags):
		return usagef("--packet-flags %q is not on, off or auto", f.epbFlags)
	case f.duration < 0:
		return usagef("--duration %v is negative", f.duration)
	case f.untilSilent < 0:
		return usagef("--until-stdin-silent %v is negative", f.untilSilent)
	case f.endsWithInput() && slices.Contains(f.files, "-"):
		return usagef("--until-stdin-eof, --until-stdin-silent and -r - exclude each other: they are for standard input")
	case (f.annotate || f.checksums) && !f.stitch:
		return usagef("--annotate and --checksums need --stitch")
	case f.rings.split && (f.output == "" || f.output == "-"):
		return usagef("--split writes files: name one with -w")
	case f.rings.split && f.skip > 0:
		return usagef("--skip and --split exclude each other: workers do not count together")
	case f.rings.split && f.count > 0:
		return usagef("-c and --split exclude each other: workers do not count together")
	}
	if err := f.rotation.check(f.output); err != nil {
		return err
	}
	if err := f.checkTriggers(); err != nil {
		return err
	}
	if f.write != "" && !slices.Contains(writings, f.write) {
		return usagef("--write %q is not %s", f.write, strings.Join(writings, ", "))
	}
	if _, ok := directions[f.direction]; !ok {
		return usagef("-Q %q is not in, out or inout", f.direction)
	}
	if err := errors.Join(f.stats.check(), f.print.check(), f.keys.check(f), f.guard.check()); err != nil {
		return err
	}
	return f.rings.check()
}

// checkTriggers refuses what does not go with triggers.
func (f *captureFlags) checkTriggers() error {
	if err := f.trigger.check(); err != nil || !f.trigger.on() {
		return err
	}
	several := f.trigger.perEvent
	switch {
	case f.rings.split:
		return usagef("--trigger and --split exclude each other: workers do not know of each other's events")
	case several && f.output == "":
		return usagef("--file-per-event needs a file: -w")
	case several && f.output == "-":
		return usagef("-w -: standard output cannot be parted into files by --file-per-event")
	case several && f.rotation.rotates():
		return usagef("--file-per-event and -C, -G or --interval exclude each other")
	case several && f.keys.path != "":
		return usagef("--file-per-event and --keylog exclude each other: secrets are put into one file")
	case several && strings.HasSuffix(f.output, "/"):
		return usagef("-w %s names a directory", f.output)
	}
	for _, expr := range f.trigger.expressions() {
		if _, err := f.compile(expr, anyMask); err != nil {
			return triggerError(expr, err)
		}
	}
	return f.trigger.fit(memoryLeft())
}

// names are the interfaces asked for, in order.
func (f *captureFlags) names() []string {
	var names []string
	for _, list := range f.interfaces {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// stitching is how packets are stitched.
func (f *captureFlags) stitching() *stitch.Options {
	return &stitch.Options{Annotate: f.annotate, Checksums: f.checksums}
}

// keep is the number of bytes that filters keep of a packet.
func (f *captureFlags) keep() int {
	if f.snaplen == 0 {
		return afpacket.MaxSnaplen
	}
	return f.snaplen
}

// ring is the configuration of a ring, but for its interface and filter.
func (f *captureFlags) ring(usual afpacket.Geometry) afpacket.Config {
	return afpacket.Config{
		Ring:          f.rings.geometry(usual),
		Snaplen:       f.keep(),
		Direction:     directions[f.direction],
		RetireTimeout: f.rings.retire(),
		Lock:          !f.guard.off,
	}
}
