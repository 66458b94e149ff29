package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"icap/internal/pods"
	"icap/istiofilter"
)

const extcapLong = `extcap makes every pod and network namespace of this node an interface in
Wireshark and tshark, with all legs of its traffic. Wireshark calls it by itself,
once it is installed:

  icap extcap --install             for all users, into Wireshark's own folder
  icap extcap --install=DIR         into another folder, as WIRESHARK_EXTCAP_DIR

Mode, legs, the snapshot length, stitching and a TLS key log are among the
options of each interface. What is installed is a symbolic link to this program. The
capture takes icap's privileges: run Wireshark as root, or give the program file
capabilities (setcap cap_net_raw,cap_net_admin,cap_sys_admin,cap_sys_ptrace+ep).`

// extcapFlags are those of Wireshark's developer's guide, "Extcap", which
// Wireshark calls the program with.
type extcapFlags struct {
	interfaces, dlts, config, capture bool
	iface, fifo, filter               string
	controlOut                        string
	mode                              string
	legs                              string
	snaplen                           int
	stitch                            bool
	keyLog                            string
	install                           string

	ignored string // what Wireshark says and icap has no use for
}

// extcapPrefix begins the names of icap's interfaces in Wireshark; a target
// follows.
const extcapPrefix = "icap-"

// Values of --mode: what the interfaces of a capture are.
const (
	legsMode    = "legs"    // the legs of a pod's traffic
	gatewayMode = "gateway" // the two sides of a gateway
	plainMode   = "plain"   // the interfaces of the namespace
)

const extcapExample = `  icap extcap --install
  tshark -D                                        lists icap-NAMESPACE/POD
  tshark -i icap-shop/web -f 'tcp port 8080'
  wireshark -k -i icap-shop/web -o extcap.icap_shop_web.stitch:true`

func newExtcap() *cobra.Command {
	var f extcapFlags
	cmd := &cobra.Command{
		Use:     "extcap",
		Short:   "Make every pod an interface in Wireshark",
		Long:    extcapLong,
		Example: extcapExample,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fs := cmd.Flags()
	fs.BoolVar(&f.interfaces, "extcap-interfaces", false, "list the interfaces, for Wireshark")
	fs.BoolVar(&f.dlts, "extcap-dlts", false, "list link types, for Wireshark")
	fs.BoolVar(&f.config, "extcap-config", false, "list options, for Wireshark")
	fs.BoolVar(&f.capture, "capture", false, "capture into --fifo, for Wireshark")
	fs.StringVar(&f.iface, "extcap-interface", "", "the interface, icap-TARGET")
	fs.StringVar(&f.fifo, "fifo", "", "where the packets go")
	fs.StringVar(&f.filter, "extcap-capture-filter", "", "expression for the packets")
	fs.StringVar(&f.controlOut, "extcap-control-out", "", "where messages go")
	fs.StringVar(&f.mode, "mode", legsMode, "how the traffic is parted: by legs, as that of a gateway, or plain, as it is on each interface")
	fs.StringVar(&f.legs, "leg", "", "only these legs")
	fs.IntVar(&f.snaplen, "snaplen", 0, "keep so many bytes of a packet")
	fs.BoolVar(&f.stitch, "stitch", false, "give redirected packets the addresses back that the app saw")
	fs.StringVar(&f.keyLog, "keylog", "", "put the TLS secrets of this file, while it is written, ahead of the packets that need them")
	fs.StringVar(&f.install, "install", "", "install a symbolic link for Wireshark")
	fs.Lookup("install").NoOptDefVal = wiresharkFolder()
	for _, name := range []string{"extcap-version", "extcap-control-in", "extcap-reload-option"} {
		fs.StringVar(&f.ignored, name, "", "of Wireshark")
		fs.Lookup(name).Hidden = true
	}
	return cmd
}

// isExtcap reports whether Wireshark calls: it gives flags and no command.
func isExtcap(args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "--extcap-") {
			return args[0] != "extcap"
		}
	}
	return false
}

func (f *extcapFlags) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	switch {
	case f.install != "":
		return installExtcap(out, f.install)
	case f.interfaces:
		return extcapInterfaces(out)
	case f.dlts:
		_, err := fmt.Fprintln(out, "dlt {number=1}{name=EN10MB}{display=Ethernet}")
		return err
	case f.config:
		return extcapConfig(out)
	case f.capture:
		return f.record(cmd)
	}
	return usagef("extcap is called by Wireshark; icap extcap --install makes it known there")
}

// extcapInterfaces lists the namespaces of the node. It does not enter them:
// Wireshark asks at every start.
func extcapInterfaces(out io.Writer) error {
	fmt.Fprintf(out, "extcap {version=%s}{display=icap: the legs of pods}\n", extcapSafe(version))
	fmt.Fprintln(out, "control {number=0}{type=button}{role=logger}{display=Log}")
	all, _ := pods.Scanner{}.ScanAll() // what may not be seen cannot be captured either
	for i := range all {
		p := &all[i]
		if p.Host && p.UID != "" {
			continue // its packets are the host's
		}
		what := p.Role.String()
		if p.UID == "" {
			what = "network namespace"
		}
		fmt.Fprintf(out, "interface {value=%s}{display=%s (%s)}\n", extcapSafe(extcapPrefix+target(p)), extcapSafe(p.Title()), what)
	}
	return nil
}

// extcapSafe takes out of a name what would end a value of the protocol.
func extcapSafe(s string) string {
	return strings.NewReplacer("{", "(", "}", ")").Replace(printable(s))
}

// extcapConfig lists what can be chosen.
func extcapConfig(out io.Writer) error {
	fmt.Fprintln(out, "arg {number=0}{call=--leg}{display=Legs}{type=multicheck}{tooltip=The parts of the pod's traffic; none means all of them}")
	for leg := range istiofilter.AllLegs.All() {
		fmt.Fprintf(out, "value {arg=0}{value=%s}{display=%s: %s}{default=false}\n", leg, leg, leg.Meaning())
	}
	_, err := fmt.Fprintln(out, `arg {number=4}{call=--mode}{display=Mode}{type=selector}{default=legs}{tooltip=What the traffic is parted into}
value {arg=4}{value=legs}{display=the legs of a pod}{default=true}
value {arg=4}{value=gateway}{display=the two sides of a gateway}{default=false}
value {arg=4}{value=plain}{display=plain: each interface as it is}{default=false}
arg {number=1}{call=--snaplen}{display=Snapshot length}{type=integer}{range=0,262144}{default=0}{tooltip=Bytes to keep of a packet; 0 means all}
arg {number=2}{call=--stitch}{display=Restore redirected addresses}{type=boolflag}{default=false}{tooltip=Redirected packets get the addresses back that the app saw, so that streams can be followed}
arg {number=3}{call=--keylog}{display=TLS key log}{type=fileselect}{mustexist=false}{tooltip=Secrets that come into this file go ahead of the packets that need them; whoever has the capture can read what was encrypted}`)
	return err
}

// record captures into Wireshark's pipe. The pipe is opened first, come what
// may: Wireshark waits for that.
func (f *extcapFlags) record(cmd *cobra.Command) error {
	if f.fifo == "" {
		return usagef("--capture needs --fifo")
	}
	fifo, err := os.OpenFile(f.fifo, os.O_WRONLY, 0)
	if err != nil {
		return outputError{err}
	}
	defer fifo.Close()
	cmd.SetErr(io.Discard) // Wireshark takes all that is said for an error
	if f.controlOut != "" {
		log, err := os.OpenFile(f.controlOut, os.O_WRONLY, 0)
		if err != nil {
			return outputError{err}
		}
		defer log.Close()
		cmd.SetErr(&extcapLog{log})
	}
	target, ok := strings.CutPrefix(f.iface, extcapPrefix)
	if !ok {
		return usagef("--extcap-interface %q does not begin with %s", f.iface, extcapPrefix)
	}
	flags := captureFlags{stitch: f.stitch, keys: keyFlags{f.keyLog, keyLogDelay}, output: "-", direction: "inout", snaplen: f.snaplen, rings: ringFlags{live: true, fanout: 1, spread: "hash"}}
	err = f.captureBy(cmd, &flags, target, fifo)
	if errors.Is(err, syscall.EPIPE) {
		return nil // Wireshark has seen enough
	}
	return err
}

// captureBy captures in a target by the mode that was chosen.
func (f *extcapFlags) captureBy(cmd *cobra.Command, flags *captureFlags, target string, fifo *os.File) error {
	if f.mode != legsMode && f.legs != "" {
		return usagef("--leg is for --mode %s, not for %s", legsMode, f.mode)
	}
	switch f.mode {
	case legsMode:
		args := []string{target}
		if f.filter != "" {
			args = append(args, f.filter)
		}
		return capturePods(cmd, flags, &podFlags{legs: f.legs}, args, fifo)
	case gatewayMode, plainMode:
	default:
		return usagef("--mode %q is not %s, %s or %s", f.mode, legsMode, gatewayMode, plainMode)
	}
	if err := flags.checkExpression(f.filter); err != nil {
		return err
	}
	if f.mode == gatewayMode {
		return new(gatewayFlags).capture(cmd, flags, []string{target}, f.filter, fifo)
	}
	p, err := flags.find(target)
	if err != nil {
		return err
	}
	defer p.ns.Close()
	flags.interfaces = []string{anyInterface}
	return flags.captureIn(cmd, p, f.filter, fifo)
}

// An extcapLog writes messages for the logger of Wireshark's window.
type extcapLog struct{ out io.Writer }

func (l *extcapLog) Write(p []byte) (int, error) {
	const (
		logger = 0
		add    = 2
		most   = 1<<16 - 3
	)
	text := p[:min(len(p), most)]
	n := len(text) + 2
	packet := append([]byte{'T', byte(n >> 16), byte(n >> 8), byte(n), logger, add}, text...)
	if _, err := l.out.Write(packet); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wiresharkFolder is where Wireshark of Debian looks for all users.
func wiresharkFolder() string {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return "/usr/lib/" + machine + "-linux-gnu/wireshark/extcap"
}

// installExtcap puts a link to this program into a folder.
func installExtcap(out io.Writer, dir string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	link := filepath.Join(dir, "icap")
	if old, err := os.Readlink(link); err == nil && old == program {
		_, err = fmt.Fprintf(out, "%s is installed\n", link)
		return err
	}
	if err := os.Symlink(program, link); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s -> %s\ntshark -D now lists the pods of this node as %sTARGET\n", link, program, extcapPrefix)
	return err
}
