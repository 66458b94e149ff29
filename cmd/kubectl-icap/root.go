package main

import "github.com/spf13/cobra"

const rootLong = `kubectl icap captures in pods of a cluster, on all their nodes at once, into one
file in time order. It knows which leg of Istio's traffic a packet is on: each
leg of each pod is an interface of the file, such as lo:inbound-app@web-0.shop.

TARGET is a pod, or what stands for pods:

  web-0  shop/web-0  pod/web-0  deploy/web  sts/db  ds/agent  rs/web-5d9c  svc/web
  job/load  gateway/ingress  shop/deploy/web

TARGETs stand in front of the expression: the first word, and those behind it that
have a slash; others in front of --. With -l the pods are those that have the
labels, and all arguments are the expression unless there is a --. The expression is that of pcap-filter(7).

On each node with targets a Job runs one pod for the time of the capture, which is
not privileged. Nothing is left when this program ends, however it ends.`

const rootExample = `  kubectl icap pod -n shop deploy/web -w web.pcapng
  kubectl icap pod -n shop -l tier=front -w - | wireshark -k -i -
  kubectl icap pod shop/web-0 shop/db-0 -w both.pcapng -- tcp port 5432
  kubectl icap gateway -n istio-system gateway/ingress -w gw.pcapng
  kubectl icap events -n shop deploy/web deploy/db -- tcp
  kubectl icap cleanup`

func newRoot() *cobra.Command {
	c := newCluster()
	cmd := &cobra.Command{
		Use:           "kubectl-icap",
		Short:         "Capture in pods on many nodes into one file, and know Istio's legs",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl icap"},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.flags.AddFlags(cmd.PersistentFlags())
	offer(cmd, "namespace", c.namespaces)
	cmd.AddCommand(newPod(c), newGateway(c), newFlows(c), newEvents(c), newLs(c), newCleanup(c))
	return cmd
}
