// Package sight shows the packets of captures to whoever follows connections:
// each as a [flow.Sighting], with the addresses that the app saw, and where it
// was captured as far as the file tells.
//
// icap names an interface of a file after the link, the leg of Istio's traffic
// and the pod: "eth0:outbound-wire@web.shop". [Leg], [Pod], [Where] and [Wire]
// take that apart; other files have names without a leg and a pod.
//
//	events, err := report.NewEvents(os.Stdout, report.EventsConfig{})
//	...
//	err = sight.Read(stream, "", events.See)
package sight
