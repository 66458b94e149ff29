package main

import (
	"github.com/spf13/cobra"

	"icap/cmd/kubectl-icap/internal/targets"
	"icap/istiofilter"
)

const podLong = `pod captures all legs of the traffic of pods into one file, in time order: on eth0
and lo, inside of each pod's network namespace. Without -w it prints a line for
each packet.

Pods that come while it runs join: what replaces a pod, and what gets the labels.
A node's stream that breaks is taken up again; what cannot be is named at the end.

Each interface of the file has its node in the description, and how far the clock
of that is ahead of this machine's. --align corrects the times by it.`

// newPod captures pods.
func newPod(cl *cluster) *cobra.Command {
	var (
		c capturing
		o output
	)
	c.choice.kind = targets.Pod
	cmd := &cobra.Command{
		Use:     "pod TARGET [expression] | pod TARGET... -- [expression] | pod -l SELECTOR [expression]",
		Aliases: []string{"sidecar", "ambient"},
		Short:   "Capture the legs of pods' traffic into one file",
		Long:    podLong,
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, cl, &c, "pod", args) },
	}
	c.register(cmd.Flags())
	c.registerLegs(cmd.Flags())
	o.register(cmd.Flags())
	completeTargets(cmd, cl)
	completePlacing(cmd, cl)
	completeLegs(cmd)
	return cmd
}

// completeLegs offers the legs for --leg.
func completeLegs(cmd *cobra.Command) {
	offer(cmd, "leg", func() (legs []string) {
		for leg := range istiofilter.AllLegs.All() {
			legs = append(legs, cobra.CompletionWithDesc(leg.String(), leg.Meaning()))
		}
		return legs
	})
}

const gatewayLong = `gateway captures the two sides of gateways as two legs: gateway-downstream between
clients and gateway, gateway-upstream between it and what it forwards to.

A TARGET without a kind is a gateway, of the Gateway API or of Istio's charts, or
else a pod: gateway/ingress stands for the pods with the label
gateway.networking.k8s.io/gateway-name=ingress, istio=ingress or app=ingress.`

// newGateway captures gateways.
func newGateway(cl *cluster) *cobra.Command {
	var (
		c capturing
		o output
	)
	c.choice.kind = targets.Gateway
	cmd := &cobra.Command{
		Use:   "gateway TARGET [expression] | gateway TARGET... -- [expression]",
		Short: "Capture the two sides of gateways into one file",
		Long:  gatewayLong,
		RunE:  func(cmd *cobra.Command, args []string) error { return o.run(cmd, cl, &c, "gateway", args) },
	}
	fs := cmd.Flags()
	c.register(fs)
	o.register(fs)
	fs.BoolVar(&c.direction[0], "downstream", false, "only between clients and gateway")
	fs.BoolVar(&c.direction[1], "upstream", false, "only between gateway and upstreams")
	fs.StringSliceVar(&c.podCIDRs, "pod-cidr", nil, "network of the cluster's pods; repeatable (default: what the nodes show)")
	fs.StringSliceVar(&c.svcCIDRs, "service-cidr", nil, "network of the cluster's services; repeatable (default: what the nodes show)")
	completeTargets(cmd, cl)
	completePlacing(cmd, cl)
	return cmd
}
