package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icap/internal/capfile"
	"icap/internal/flow"
	"icap/internal/sight"
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
	stream := sight.NewStream(expr, see)
	for _, in := range inputs {
		if err := stream.File(in.Reader); err != nil {
			_ = stream.Flush() // what waits was read whole
			return fmt.Errorf("%s: %w", in.Name(), err)
		}
	}
	return stream.Flush()
}
