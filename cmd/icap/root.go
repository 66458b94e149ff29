package main

import (
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `icap captures packets in the network namespace of a pod, or in any other, and
writes pcapng. It knows which leg of Istio's traffic a packet is on: each leg
is an interface of its own in the file, such as lo:inbound-app@web.shop.

Without a subcommand icap captures like tcpdump, and the same letter means the
same thing. The expression is that of pcap-filter(7).`

const rootExample = `  icap pod shop/web -w web.pcapng               all legs of a pod's traffic
  icap pod shop/web --leg inbound-app           the app's plaintext, one line a packet
  icap ls                                       the pods and namespaces of this node
  icap pod pid:4711 -w - | wireshark -k -i -    live into Wireshark
  icap gateway istio-system/ingress -w gw.pcapng  both sides of a gateway
  icap pod shop/web --trigger rst -w rst.pcapng  only 10 s before and after each RST
  icap -i eth0 -w out.pcapng tcp port 443       as tcpdump
  icap --netns blue -i eth0 -c 10               in a namespace of ip netns
  icap compile -d 'net 192.168.0.0/12'          the filter as BPF
  icap demo                                     try it on a pod made here`

const captureExample = `  icap capture -i eth0 -nn -c 10 port 80
  icap capture -i any -w all.pcapng             an interface for each in the file
  icap capture -i eth0 -C 100 -W 10 -w ring.pcapng
  icap capture --netns blue -i veth0 -w - | tshark -i -`

func newRoot() *cobra.Command {
	var f captureFlags
	cmd := &cobra.Command{
		Use:           "icap [flags] [expression]",
		Short:         "Capture packets in a pod, and know Istio's legs",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          runCapture(&f),
	}
	cmd.SetFlagErrorFunc(flagError)
	f.register(cmd.Flags())
	f.registerPlace(cmd.Flags())
	completeInterfaces(cmd, func([]string) (*place, error) { return f.place() })
	completeTriggers(cmd)
	cmd.AddCommand(newCapture(new(captureFlags)), newPod(), newGateway(), newLs(), newRead(), newStitch(), newCheck(), newRepair(), newFlows(), newEvents(), newCompile(), newExtcap(), newDoctor(), newWait(), newClock(), newMan(), newHelper(), newDemo())
	completeValues(cmd)
	return cmd
}

// newCommand is what the program is by a name: under that of tcpdump it captures
// and has no subcommands, and overwrites files as tcpdump does.
func newCommand(name string) *cobra.Command {
	if name != "tcpdump" {
		return newRoot()
	}
	f := captureFlags{force: true}
	cmd := newCapture(&f)
	cmd.Use = "tcpdump [flags] [expression]"
	cmd.Version = version
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(flagError)
	return cmd
}

func newCapture(f *captureFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "capture [flags] [expression]",
		Short:   "Capture on interfaces, as icap without a subcommand does",
		Example: captureExample,
		Args:    cobra.ArbitraryArgs,
		RunE:    runCapture(f),
	}
	f.register(cmd.Flags())
	f.registerPlace(cmd.Flags())
	completeInterfaces(cmd, func([]string) (*place, error) { return f.place() })
	completeTriggers(cmd)
	return cmd
}

// expression joins the words of a filter, as tcpdump does.
func expression(words []string) string { return strings.Join(words, " ") }
