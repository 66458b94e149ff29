package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/internal/capfile"
	"icap/internal/cause"
	"icap/internal/flow"
	"icap/internal/stitch"
	"icap/istiofilter"
)

// A watch shows the packets of files or of a live capture to whoever wants to
// know about connections. Redirected ones have the addresses that the app saw.
type watch struct {
	files []string
	flags captureFlags
	legs  podFlags
	ebpf  bool
}

func (w *watch) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVarP(&w.files, "read", "r", nil, "read this file instead of capturing; repeatable, - is standard input")
	w.flags.registerBasic(fs)
	w.legs.register(fs)
	completeLegs(cmd)
	completeInterfaces(cmd, w.flags.placeOf)
}

// run shows all packets to see.
func (w *watch) run(cmd *cobra.Command, args []string, see func(*flow.Sighting)) error {
	if len(w.files) > 0 {
		inputs, err := openInputs(w.files)
		defer closeInputs(inputs)
		if err != nil {
			return err
		}
		defer showProgress(cmd.ErrOrStderr(), true, inputs)()
		return show(inputs, expression(args), see)
	}
	return w.live(cmd, args, see)
}

// live captures a pod into a pipe, and reads that as a file.
func (w *watch) live(cmd *cobra.Command, args []string, see func(*flow.Sighting)) error {
	r, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	shown := make(chan error, 1)
	go func() {
		in, err := capfile.NewReader(r)
		if err == nil {
			err = show([]*input{{File: r, Reader: in}}, "", see)
		}
		shown <- err
	}()
	w.flags.output = "-"
	err = capturePods(cmd, &w.flags, &w.legs, args, out)
	_ = out.Close() // so that the reader comes to the end
	if serr := <-shown; err == nil {
		err = serr
	}
	return err
}

// registerEBPF is for commands that name processes.
func (w *watch) registerEBPF(fs *pflag.FlagSet) {
	fs.BoolVar(&w.ebpf, "ebpf", false, "also hear from the kernel by eBPF who uses sockets, and why it sends RSTs")
}

// name gets ready to name processes in the pods that are captured. It tells
// what does not work, and goes on without. What is wrong with the arguments is
// for the capture to tell.
func (w *watch) name(cmd *cobra.Command, args []string, own *holders) {
	targets, _, err := w.legs.split(args, cmd.ArgsLenAtDash())
	if err != nil {
		return
	}
	places, err := w.flags.findAll(targets)
	if err != nil {
		return
	}
	w.flags.guard.looks = true
	defer closeAll(places)
	if err := own.open(places, w.flags.procRoot); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "icap: note: processes are not named: %s\n", printable(err.Error()))
		return
	}
	if w.ebpf {
		err := own.openTrace()
		if err == nil {
			return
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "icap: note: no eBPF, so processes are looked for in /proc: %s\n", printable(err.Error()))
	}
	own.watch(places)
}

// show reads files to their ends.
func show(inputs []*input, expr string, see func(*flow.Sighting)) error {
	v := viewer{wanted: newSelection(expr)}
	stream := stitch.NewStream(0, func(e *stitch.Entry) error {
		s, err := v.view(e)
		if s != nil {
			see(s)
		}
		return err
	})
	for _, in := range inputs {
		if err := stream.File(in.Reader); err != nil {
			_ = stream.Flush() // what waits was read whole
			return fmt.Errorf("%s: %w", in.Name(), err)
		}
	}
	return stream.Flush()
}

// A viewer makes sightings of blocks.
type viewer struct {
	wanted *selection
	seen   flow.Sighting
}

// view is the packet of a block with the addresses that the app saw, valid
// until the next call. It is nil if there is none, or none that is wanted.
func (v *viewer) view(e *stitch.Entry) (*flow.Sighting, error) {
	p, s := e.Block.Packet, &v.seen
	if p == nil {
		return nil, nil
	}
	if ok, err := v.wanted.has(p); !ok {
		return nil, err
	}
	s.Packet = e.View.Packet
	if e.Conn != nil && e.Conn.Known() {
		s.Src, s.Dst = e.Conn.Original()
	}
	if p.Interface.Name != s.Place || s.Wire == "" {
		s.Place, s.Wire = p.Interface.Name, wireName(p.Interface.Name)
		s.Site, _ = whereabouts(p.Interface.Name)
		s.Redirects = redirectsOf(p.Interface)
	}
	s.Time, s.Len = p.Time, p.Len
	s.Received, s.Sent = p.Direction(e.Block.Order)
	return s, nil
}

// whereabouts takes apart the name of an interface that icap has written,
// "IF:LEG@POD".
func whereabouts(place string) (pod string, w cause.Where) {
	_, pod, _ = strings.Cut(place, "@")
	leg := legName(place)
	for l := range istiofilter.AllLegs.All() {
		if l.String() == leg {
			return pod, cause.Where{Leg: l, Known: true}
		}
	}
	return pod, cause.Where{}
}

// wireName is the interface and the pod of a place, without the leg.
func wireName(place string) string {
	link, pod, _ := strings.Cut(place, "@")
	link, _, _ = strings.Cut(link, ":")
	return link + "@" + pod
}

// placeName is how a place is shown: by its leg, if it has one.
func placeName(place string) string {
	if leg := legName(place); leg != "" {
		return printable(leg)
	}
	if place == "" {
		return "-"
	}
	return printable(place)
}
