// Package ends joins the two ends of a connection that were captured in two
// pods: what the client's side sent and got, and what the server's did.
//
// Where nothing changes the addresses on the way, both show the same. The
// address of a service, or of a node that masquerades, is changed on the way:
// then the two ends have the initial sequence numbers in common, which NAT
// leaves alone, and the timestamp of the SYN. Proxies and balancers that end a
// connection and begin another one are no such way.
//
// A [Matcher] takes connections as they begin. A [Join] says how sure it is that
// two of them are one, how long packets were on their way, and what came of
// those of one side at the other.
package ends
